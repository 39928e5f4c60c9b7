"""Lists and single objects of the network service: one way for all kinds.

A filter is any field of the answer; repeated values are alternatives, `fields` picks what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.model.errors import Invalid, NotFound
from hanok.store.database import Reader

_CONTROLS = frozenset({"limit", "marker", "fields", "sort_key", "sort_dir", "page_reverse"})
_LARGEST = 1000
View = Callable[[Any, Any], dict[str, Any]]


class Missing(NotFound):
    """An object that is not there; `neutron_type` names its kind."""

    def __init__(self, kind: str, words: str, wanted: str) -> None:
        super().__init__(f"{words} {wanted} could not be found.")
        self.neutron_type = f"{kind}NotFound"


@dataclass(frozen=True, slots=True)
class Collection:
    """A kind of object: its names on the wire, how a project's are read and shown.

    `read` returns all (object, children) pairs, `get` the one with an id. `prepare` runs before a
    list is read; `detail` is the view of a single object where that shows more.
    """

    plural: str
    singular: str
    kind: str
    words: str
    read: Callable[[Reader, str], Sequence[tuple[Any, Any]]]
    get: Callable[[Reader, str, str], tuple[Any, Any] | None]
    view: View
    detail: View | None = None
    prepare: Callable[[Call], None] | None = None

    def listed(self, call: Call) -> Answer:
        """Serve the list."""
        if self.prepare is not None:
            self.prepare(call)
        with call.region.store.read() as reader:
            pairs = self.read(reader, call.credentials.project_id)
        found = [self.view(one, children) for one, children in pairs]
        found = [one for one in found if _matches(call, one)]
        found = _sorted(call, found)
        limit = call.query.integer("limit")
        marker = call.query.get("marker")
        if marker:
            ids = [one["id"] for one in found]
            if marker not in ids:
                raise Invalid(f"marker {marker} is not an item of the list.")
            found = found[ids.index(marker) + 1 :]
        page = found[: min(limit or _LARGEST, _LARGEST)]
        return Answer(200, {self.plural: [_fields(call, one) for one in page]})

    def show(self, call: Call) -> Answer:
        """Serve one by its id; a name is a clean 404, which clients rely on."""
        wanted = call.params["id"]
        with call.region.store.read() as reader:
            found = self.get(reader, call.credentials.project_id, wanted)
        if found is None:
            raise Missing(self.kind, self.words, wanted)
        return Answer(200, {self.singular: _fields(call, (self.detail or self.view)(*found))})

    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Return the list's and the object's endpoints."""
        root = f"/v2.0/{self.plural.replace('_', '-')}"
        return (
            Endpoint("GET", root, self.listed, "networks:read"),
            Endpoint("GET", f"{root}/{{id}}", self.show, "networks:read"),
        )


def _matches(call: Call, one: dict[str, Any]) -> bool:
    wanted: dict[str, list[str]] = {}
    for name, value in call.query:
        if name not in _CONTROLS:
            wanted.setdefault(name, []).append(value)
    return all(_has(one, name, values) for name, values in wanted.items())


def _has(one: dict[str, Any], name: str, values: list[str]) -> bool:
    """Tell whether a field has one of the values; a field that is not there filters nothing."""
    if name == "fixed_ips":
        return any(_has_address(one, value) for value in values)
    if name not in one:
        return True
    value = one[name]
    if isinstance(value, list):
        return any(wanted in value for wanted in values)
    if isinstance(value, bool):
        return str(value).lower() in [wanted.lower() for wanted in values]
    return ("" if value is None else str(value)) in values


def _has_address(one: dict[str, Any], wanted: str) -> bool:
    """Match fixed_ips=ip_address=10.0.0.3 or subnet_id=…"""
    name, _, value = wanted.partition("=")
    return any(str(ip.get(name)) == value for ip in one.get("fixed_ips", []))


def _sorted(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    directions = call.query.all("sort_dir")
    for n, key in reversed(list(enumerate(call.query.all("sort_key")))):
        descending = n < len(directions) and directions[n].lower() == "desc"
        found = sorted(found, key=partial(_sort_key, key), reverse=descending)
    return found


def _sort_key(key: str, one: dict[str, Any]) -> str:
    return str(one.get(key))


def _fields(call: Call, one: dict[str, Any]) -> dict[str, Any]:
    wanted = call.query.all("fields")
    return {name: one[name] for name in wanted if name in one} if wanted else one
