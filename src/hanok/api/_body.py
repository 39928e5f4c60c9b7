"""Request bodies: JSON into typed values, every trap a 400."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, TypeVar

import msgspec

from hanok.model.errors import Invalid

_T = TypeVar("_T")
_DEEPEST = 64
_PATH = re.compile(r" - at `\$\.?(.*)`$")


def decode(body: bytes, type_: type[_T]) -> _T:
    """Decode a JSON body; raises Invalid with a sentence that names the field.

    Refuses what later layers cannot hold: a NUL character (PostgreSQL's text has none) and
    nesting that exhausts the stack.
    """
    if not body:
        raise Invalid("The request needs a JSON body.")
    if b"\\u0000" in body:
        raise Invalid("The body contains a NUL character.")
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _depth(body) > _DEEPEST:
        raise Invalid("The body is nested too deeply.")
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"Malformed request body: {error}.") from error


def convert(value: Any, type_: type[_T], name: str) -> _T:
    """Read what a decoded body holds under `name`; raises Invalid as `decode` does."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error), name)) from error


def trimmed(name: str) -> str:
    """Return a name without outer spaces; raises Invalid where nothing is left, in Nova's words.

    Refuses, as Nova does, what cannot be printed: control characters, line ends, unassigned ones.
    """
    name = name.strip()
    if not name:
        raise Invalid("Invalid input for field/attribute name. Value: . '' is too short")
    if any(_printless(character) for character in name):
        raise Invalid(
            "Invalid input for field/attribute name. It has a character that cannot be printed."
        )
    return name


def _printless(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp")


def _depth(body: bytes) -> int:
    """Return how deeply arrays and objects are nested; brackets inside strings do not count."""
    depth = deepest = 0
    quoted = escaped = False
    for byte in body:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quote
                quoted = False
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _sentence(text: str, under: str = "") -> str:
    """Turn the decoder's message, about what lies `under` a field, into the services' own words."""
    found = _PATH.search(text)
    what = _PATH.sub("", text).replace("`", "'")
    path = ".".join(part for part in (under, found.group(1) if found else "") if part)
    if not path:
        return f"Malformed request body: {what}."
    return f"Invalid input for field/attribute {path}. {what}."
