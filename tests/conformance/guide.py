"""The guide itself, read: each operation with its parameters, its fields and its examples.

`guide.txt` is the text of NHN Cloud's "Compute > Instance > API v2 Guide" as it was published. The
reader knows the guide's grammar and refuses a line that does not fit it, so that nothing of the
guide is left out unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

TEXT = Path(__file__).with_name("guide.txt")
ANY_NAME = '"Network Name"'
"""A part of a field's path that stands for a name of the user's."""
_FORMATS = "UUID|String|Integer|Float|Boolean|Object|Array|Enum|Datetime|none"
_ROW = (
    rf'(?P<name>[^\s"]*(?:"[^"]+"\S*)?) (?P<place>URL|Header|Query|[Bb]ody) (?P<format>{_FORMATS})'
)
_PARAMETER = re.compile(rf"{_ROW} (?P<required>[O-]) (?P<text>.+)")
_FIELD = re.compile(rf"{_ROW} (?P<text>.+)")
_REQUEST_LINE = re.compile(r"(GET|POST|PUT|DELETE) (/v2/\S+)")
_HEADER = re.compile(r"([A-Za-z-]+): (\S+)")
_SAME = re.compile(r"(?:The request format is the same as|Same as) (.+)\.")
_PARAMETERS = "Name Type Format Required Description"
_FIELDS = "Name Type Format Description"
_STATUSES = "Status Name Description"
NO_REQUEST_BODY = "This API does not require a request body."
NO_ANSWER_BODY = "This API does not return a response body."


class GuideError(ValueError):
    """A line of the guide that does not fit its grammar."""


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table; `required` is None for a field of an answer."""

    name: str
    place: str
    format: str
    required: bool | None
    text: str

    @property
    def path(self) -> tuple[str, ...]:
        """The name in parts: `servers.addresses."Network Name".addr` has four."""
        return tuple(re.findall(r'"[^"]+"|[^.]+', self.name))


@dataclass(frozen=True, slots=True)
class Part:
    """A request or an answer: what is said of it, its table, its example."""

    notes: tuple[str, ...]
    table: tuple[Field, ...]
    example: Any = None

    @property
    def same_as(self) -> str | None:
        """The title of the operation whose part this is, too."""
        found = [match[1] for note in self.notes if (match := _SAME.fullmatch(note))]
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. `prose` is what stands between the operation before and this one."""

    title: str
    method: str
    path: str
    headers: Mapping[str, str]
    request: Part
    answer: Part
    prose: tuple[str, ...]

    @property
    def key(self) -> str:
        """What tells it from all others: method and path, for an action its name, too."""
        if not self.path.endswith("/action"):
            return f"{self.method} {self.path.removeprefix('/v2/{tenantId}')}"
        [action] = self.request.example
        return f"action {action}"

    def parameters(self, place: str) -> list[Field]:
        """The request's parameters in a place: URL, Header, Query or Body."""
        return [one for one in self.request.table if one.place == place]

    def fields(self) -> list[Field]:
        """The fields of the answer's body."""
        return [one for one in self.answer.table if one.place == "Body"]


class _Lines:
    """The guide's lines, taken one after the other."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._at = 0

    def peek(self) -> str | None:
        return self._lines[self._at].rstrip() if self._at < len(self._lines) else None

    def take(self) -> str:
        line = self.peek()
        if line is None:
            raise GuideError("the guide ends in the middle of an operation")
        self._at += 1
        return line

    def expect(self, wanted: str) -> None:
        line = self.take()
        if line != wanted:
            raise GuideError(f"line {self._at}: {wanted!r} expected, not {line!r}")

    def skip_blank(self) -> None:
        while self.peek() == "":
            self._at += 1

    def take_json(self) -> Any:
        text = "\n".join(self._lines[self._at :])
        value, end = json.JSONDecoder().raw_decode(text)
        self._at += text[:end].count("\n") + 1
        return value

    def error(self, why: str) -> GuideError:
        return GuideError(f"line {self._at}: {why}: {self.peek()!r}")


def _prose(lines: _Lines) -> Iterator[str]:
    while (line := lines.peek()) is not None and not _REQUEST_LINE.fullmatch(line):
        yield lines.take()


def _title(prose: tuple[str, ...]) -> str:
    """Return the last line that stands alone and is no sentence and no bullet."""
    padded = ("", *prose, "")
    alone = [
        line
        for before, line, after in zip(padded, padded[1:], padded[2:], strict=False)
        if line and not before and not after and not line.endswith((".", ":", "]"))
    ]
    if not alone:
        raise GuideError(f"no title among {prose!r}")
    return alone[-1]


def _table(lines: _Lines, row: re.Pattern[str]) -> Iterator[Field]:
    """Read rows; a line that is none goes on with the description of the row before it."""
    read: Field | None = None
    while (line := lines.peek()) not in ("", "Example", None):
        match = row.fullmatch(lines.take())
        if match is None and read is None:
            raise lines.error(f"the first row of a table expected, not {line!r}")
        if match is None:
            assert read is not None
            read = replace(read, text=f"{read.text}\n{line}")
            continue
        if read is not None:
            yield read
        read = Field(
            name=match["name"],
            place=match["place"].capitalize() if match["place"] == "body" else match["place"],
            format=match["format"],
            required=match["required"] == "O" if row is _PARAMETER else None,
            text=match["text"],
        )
    if read is None:
        raise lines.error("a table without a row")
    yield read


def _part(lines: _Lines, name: str) -> Part:
    """Read the request or the answer: sentences, then a table with an example, or either."""
    lines.expect(name)
    lines.skip_blank()
    head, row = (_PARAMETERS, _PARAMETER) if name == "Request" else (_FIELDS, _FIELD)
    notes: list[str] = []
    table: tuple[Field, ...] = ()
    example = None
    while (line := lines.peek()) is not None and _is_note(line):
        notes.append(lines.take())
        lines.skip_blank()
    if lines.peek() == head:
        lines.take()
        table = tuple(_table(lines, row))
        if lines.peek() == "Example":
            lines.take()
            lines.skip_blank()
            example = lines.take_json()
    if not notes and not table:
        raise lines.error(f"neither a sentence nor a table in {name}")
    lines.skip_blank()
    return Part(tuple(notes), table, example)


def _is_note(line: str) -> bool:
    return line.startswith((NO_REQUEST_BODY, NO_ANSWER_BODY)) or bool(_SAME.fullmatch(line))


def _operation(lines: _Lines, prose: tuple[str, ...]) -> Operation:
    method, path = lines.take().split(" ")
    headers: dict[str, str] = {}
    while (line := lines.peek()) != "":
        match = _HEADER.fullmatch(line or "")
        if match is None:
            raise lines.error("a header expected")
        headers[match[1]] = match[2]
        lines.take()
    lines.skip_blank()
    request = _part(lines, "Request")
    answer = _part(lines, "Response")
    return Operation(_title(prose), method, path, headers, request, answer, prose)


def _borrowed(part: Part, meant: Part) -> Part:
    """Return the part of another operation under what is said in its place."""
    return replace(meant, notes=part.notes)


def read(text: str) -> list[Operation]:
    """Read every operation of a guide; raises GuideError for what does not fit its grammar."""
    lines = _Lines(text)
    found: dict[str, Operation] = {}
    while True:
        prose = tuple(_prose(lines))
        if lines.peek() is None:
            break
        one = _operation(lines, prose)
        known = {old.title: old for old in found.values()}
        if one.request.same_as is not None:
            one = replace(one, request=_borrowed(one.request, known[one.request.same_as].request))
        if one.answer.same_as is not None:
            one = replace(one, answer=_borrowed(one.answer, known[one.answer.same_as].answer))
        if one.key in found:
            raise GuideError(f"two operations are {one.key}")
        found[one.key] = one
    return list(found.values())


@cache
def operations() -> dict[str, Operation]:
    """The operations of the guide, by their keys."""
    return {one.key: one for one in read(TEXT.read_text(encoding="utf-8"))}


def statuses(prose: tuple[str, ...]) -> list[str]:
    """Return the statuses of the table in an operation's prose."""
    start = prose.index(_STATUSES) + 1
    rows = prose[start : prose.index("", start)]
    return [match[1] for row in rows if (match := re.match(r"([A-Z_]{2,}) [A-Z]", row))]


@cache
def documented_statuses() -> frozenset[str]:
    """What the guide says an instance's status may be."""
    return frozenset(statuses(operations()["GET /servers"].prose))
