"""Which attributes a body of the network service may have: Neutron's rules, in Neutron's words.

What is not known, and what only the service says, is refused, so that a slip of the pen is not
taken for done. Of Neutron's extensions that are not offered here, the attributes that clients send
are accepted with the value that is true anyway, which is the extension's default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from hanok.api._body import convert, decode
from hanok.api.network.fields import truth
from hanok.model.errors import Invalid

_New = TypeVar("_New", bound=msgspec.Struct)
_Change = TypeVar("_Change", bound=msgspec.Struct)
STANDARD = frozenset({"id", "created_at", "updated_at", "revision_number", "tags"})
"""What Neutron says of every object and nobody sets by a POST or PUT of the object."""
_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Attributes(Generic[_New, _Change]):
    """A kind's attributes, `singular` being the key that a body holds them under.

    `new` and `change` say what a POST and a PUT may set. `shown` are those of answers only.
    `fixed` are those that have one value each: that one is accepted, and what is empty, and
    nothing is done about it. Those of them in `settled` are for a POST only.
    """

    singular: str
    new: type[_New]
    change: type[_Change]
    shown: frozenset[str]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()

    def to_create(self, body: bytes) -> _New:
        """Read the body of a POST; raises Invalid."""
        given = self._given(body)
        for one in msgspec.structs.fields(self.new):
            if one.required and one.encode_name not in given:
                raise Invalid(
                    f"Failed to parse request. Required attribute '{one.encode_name}' not specified"
                )
        for name in _others(given, {*_names(self.new), *self.fixed}):
            raise Invalid(f"Attribute '{name}' not allowed in POST")
        return convert(self._free(given), self.new, self.singular)

    def to_change(self, body: bytes) -> _Change:
        """Read the body of a PUT; raises Invalid."""
        given = self._given(body)
        for name in _others(given, {*_names(self.change), *self.fixed} - self.settled):
            raise Invalid(f"Cannot update read-only attribute {name}")
        return convert(self._free(given), self.change, self.singular)

    def _given(self, body: bytes) -> dict[str, Any]:
        """Take the attributes out of a body; raises Invalid for one that nobody knows."""
        whole = decode(body, dict[str, Any])
        if not whole:
            raise Invalid("Resource body required")
        if f"{self.singular}s" in whole:
            raise Invalid("Bulk operation not supported")
        given = whole.get(self.singular)
        if given is None:
            raise Invalid(f"Unable to find '{self.singular}' in request body")
        if not isinstance(given, dict):
            raise Invalid(f"Object '{self.singular}' contains invalid data")
        known = {*_names(self.new), *_names(self.change), *self.shown, *self.fixed}
        unknown = _others(given, known)
        if unknown:
            raise Invalid(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
        return given

    def _free(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is not fixed; raises Invalid where something fixed has another value."""
        for name, value in self.fixed.items():
            if name in given and not _means(given[name], value):
                raise Invalid(f"Invalid input for {name}. Reason: {_offer(value)}")
        return {name: value for name, value in given.items() if name not in self.fixed}


def _names(struct: type[msgspec.Struct]) -> Iterable[str]:
    return (one.encode_name for one in msgspec.structs.fields(struct))


def _others(given: Iterable[str], known: Iterable[str]) -> list[str]:
    return sorted(set(given).difference(known))


def _means(value: Any, wanted: Any) -> bool:
    """Tell whether a value is the one that is fixed, or leaves it open."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return truth(value) is wanted or value in _EMPTY
    return value in _EMPTY or value == wanted


def _offer(value: Any) -> str:
    if value in _EMPTY:
        return "it is not offered."
    return f"nothing but '{value}' is offered."
