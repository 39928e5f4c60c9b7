"""A server's own metadata: read, set, removed, all at once or one at a time (Nova)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api.compute.servers import find, find_to_change
from hanok.model.create_rules import check_metadata
from hanok.model.errors import Invalid, NotFound
from hanok.store import quotas, servers

ROOT = "/v2/{tenant}/servers/{server}/metadata"
_Values = dict[str, str]


class _Metadata(msgspec.Struct):
    metadata: _Values


class _Item(msgspec.Struct):
    meta: _Values


def _show(call: Call) -> Answer:
    with call.region.store.read() as reader:
        return Answer(200, {"metadata": find(reader, call).metadata})


def _show_one(call: Call) -> Answer:
    key = call.params["key"]
    with call.region.store.read() as reader:
        values = find(reader, call).metadata
    if key not in values:
        raise NotFound("Metadata item was not found")
    return Answer(200, {"meta": {key: values[key]}})


def _write(call: Call, given: _Values, change: Callable[[_Values], _Values]) -> _Values:
    """Change the metadata in one transaction and return what it is then.

    `given` are the items that the request brings.
    """
    with call.region.store.write() as tx:
        server = find_to_change(tx, call)
        values = change(dict(server.metadata))
        limits = quotas.limits_of(tx, server.project_id)
        check_metadata(given, len(values), limits.metadata_items)
        servers.change(tx, server.id, call.region.clock.now(), {"metadata": values})
    return values


def _update(call: Call) -> Answer:
    given = decode(call.body, _Metadata).metadata
    return Answer(200, {"metadata": _write(call, given, lambda values: {**values, **given})})


def _replace(call: Call) -> Answer:
    given = decode(call.body, _Metadata).metadata
    return Answer(200, {"metadata": _write(call, given, lambda _: given)})


def _set_one(call: Call) -> Answer:
    key = call.params["key"]
    given = decode(call.body, _Item).meta
    if list(given) != [key]:
        raise Invalid("Request body and URI mismatch")
    _write(call, given, lambda values: {**values, **given})
    return Answer(200, {"meta": given})


def _delete_one(call: Call) -> Answer:
    key = call.params["key"]

    def without(values: _Values) -> _Values:
        if key not in values:
            raise NotFound("Metadata item was not found")
        return {name: value for name, value in values.items() if name != key}

    _write(call, {}, without)
    return Answer(204)


ENDPOINTS = (
    Endpoint("GET", ROOT, _show, "servers:read"),
    Endpoint("POST", ROOT, _update, "servers:update"),
    Endpoint("PUT", ROOT, _replace, "servers:update"),
    Endpoint("GET", f"{ROOT}/{{key}}", _show_one, "servers:read"),
    Endpoint("PUT", f"{ROOT}/{{key}}", _set_one, "servers:update"),
    Endpoint("DELETE", f"{ROOT}/{{key}}", _delete_one, "servers:update"),
)
