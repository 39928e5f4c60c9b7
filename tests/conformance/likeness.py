"""Whether an answer looks like the guide's example: the same keys, types and formats, recursively.

A text of the example that holds an id, a time, an address, a number and the like is taken as a
form: what stands around them must be there to the letter. Any other text is free.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NAMED_BY_THE_USER = frozenset({"addresses"})
"""Objects whose keys are names of the user's: every value looks like the example's first."""
BESIDES = frozenset(
    {
        "OS-DCF:diskConfig",  # Nova's, in every server
        "hosts",  # Nova's, null in every availability zone
        "adminPass",  # Nova's, in the answer to Create Instance
        "NHN-EXT-ATTR:ephemeral_disk_size",  # in the guide's table, not in its example
    }
)
"""Keys that an answer has and no example shows."""
_LITERAL = frozenset({"rel"})
"""Keys whose texts are words of the protocol."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FORMS = (
    ("uuid", _UUID, _UUID),
    ("host id", r"\b[0-9a-f]{56}\b", r"[0-9a-f]{56}"),
    ("hex id", r"\b[0-9a-f]{32}\b", r"[0-9a-f]{32}"),
    ("micro", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"),
    ("moment", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("mac", r"fa:16:3e(?::[0-9a-f]{2}){3}", r"fa:16:3e(?::[0-9a-f]{2}){3}"),
    ("address", r"^\d+(?:\.\d+){3}$", r"\d{1,3}(?:\.\d{1,3}){3}"),
    ("scheme", r"^https://", r"https?://"),
    ("fingerprint", r"^SHA256:.*", r"SHA256:[A-Za-z0-9+/]{43}"),
    (
        "public key",
        r"^ssh-rsa \.\.\. Generated-by-Nova$",
        r"ssh-rsa [A-Za-z0-9+/]+=* Generated-by-Nova",
    ),
    ("device", r"^/dev/[sv]d[a-z]$", r"/dev/vd[a-z]"),
    ("flavor", r"^[a-z]\d\.c\d+m\d+$", r"[a-z]\d\.c\d+m\d+"),
    ("zone", r"^kr-pub-[ab]$", r"kr-pub-[ab]"),
    ("number", r"^\d+$", r"\d+"),
    ("nothing", r"^$", r""),
)
_ANY_FORM = re.compile("|".join(f"({found})" for _, found, _ in _FORMS))


def differences(example: Any, answer: Any, at: str = "") -> Iterator[str]:
    """Yield what of an answer does not look like the example."""
    if type(example) is not type(answer):
        yield f"{at}: {answer!r} is no {type(example).__name__}"
    elif isinstance(example, dict):
        yield from _object(example, answer, at)
    elif isinstance(example, list):
        yield from _list(example, answer, at)
    elif isinstance(example, str):
        literal = at.rpartition(".")[2] in _LITERAL
        if not re.fullmatch(re.escape(example) if literal else form(example), answer, re.DOTALL):
            yield f"{at}: {answer!r} does not look like {example!r}"


def _object(example: Mapping[str, Any], answer: Mapping[str, Any], at: str) -> Iterator[str]:
    if at.rpartition(".")[2] in NAMED_BY_THE_USER:
        shown = next(iter(example.values()))
        for key, value in answer.items():
            yield from differences(shown, value, f"{at}.{key}")
        if not answer:
            yield f"{at}: it is empty"
        return
    for key in sorted(example.keys() - answer.keys()):
        yield f"{at}.{key}: it is missing"
    for key in sorted(answer.keys() - example.keys() - BESIDES):
        yield f"{at}.{key}: the guide does not know it"
    for key in sorted(example.keys() & answer.keys()):
        yield from differences(example[key], answer[key], f"{at}.{key}")


def _list(example: list[Any], answer: list[Any], at: str) -> Iterator[str]:
    """Links are compared in their order; in any other list each item looks like the first."""
    if at.endswith(".links"):
        if len(example) != len(answer):
            yield f"{at}: {len(answer)} links, not {len(example)}"
        pairs = list(zip(example, answer, strict=False))
    else:
        pairs = [(example[0], item) for item in answer]
        if not answer:
            yield f"{at}: it is empty"
    for number, (shown, item) in enumerate(pairs):
        yield from differences(shown, item, f"{at}[{number}]")


def form(example: str) -> str:
    """Return the regular expression that texts of the same form match."""
    parts, end = [], 0
    for match in _ANY_FORM.finditer(example):
        parts.append(re.escape(example[end : match.start()]))
        parts.append(_FORMS[(match.lastindex or 0) - 1][2])
        end = match.end()
    return "".join([*parts, re.escape(example[end:])]) if parts else ".*"
