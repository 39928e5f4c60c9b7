"""Filters of the network service's lists: any field that is shown, by its value (Neutron).

Repeated values are alternatives, several fields hold together, a name that is no field filters
nothing. Truth values are read as Neutron reads them; what is none is a 400.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hanok.api._query import Query
from hanok.api.network.fields import truth
from hanok.model.network import InvalidInput

CONTROLS = frozenset({"limit", "marker", "fields", "sort_key", "sort_dir", "page_reverse"})
"""Parameters of a list that are no filters."""


def wanted(query: Query) -> dict[str, list[str]]:
    """Return the values asked for of each name that may be a field."""
    found: dict[str, list[str]] = {}
    for name, value in query:
        if name not in CONTROLS:
            found.setdefault(name, []).append(value)
    return found


def only(asked: Mapping[str, Sequence[str]], columns: Collection[str]) -> dict[str, Sequence[str]]:
    """Return the filters that the store can apply: those of texts that are never null."""
    return {name: values for name, values in asked.items() if name in columns}


def matches(asked: Mapping[str, Sequence[str]], one: Mapping[str, Any]) -> bool:
    """Tell whether an object passes every filter; raises InvalidInput for a bad truth value."""
    return all(_has(one, name, values) for name, values in asked.items())


def _has(one: Mapping[str, Any], name: str, values: Sequence[str]) -> bool:
    if name not in one:
        return True
    value = one[name]
    if name == "fixed_ips":
        return _has_addresses(value, values)
    if isinstance(value, list):
        return any(each in value for each in values)
    if isinstance(value, bool):
        return value in [_truth(each) for each in values]
    return ("" if value is None else str(value)) in values


def _truth(text: str) -> bool:
    known = truth(text)
    if known is None:
        raise InvalidInput(f"'{text}' cannot be converted to boolean.")
    return known


def _has_addresses(ips: Sequence[Mapping[str, str]], values: Sequence[str]) -> bool:
    """Match `ip_address=…`, `ip_address_substr=…` and `subnet_id=…`: alternatives of each kind."""
    kinds: dict[str, list[str]] = {}
    for value in values:
        kind, _, text = value.partition("=")
        kinds.setdefault(kind, []).append(text)
    substrings = kinds.pop("ip_address_substr", None)
    if substrings is not None and not any(
        text in ip["ip_address"] for text in substrings for ip in ips
    ):
        return False
    return all(any(ip.get(kind) in texts for ip in ips) for kind, texts in kinds.items())
