"""Servers: create, list, get, modify, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hanok.api import _paging
from hanok.api._call import Answer, Call, Endpoint, Handler
from hanok.api._views import Views
from hanok.api.compute import server_list
from hanok.api.compute.links import links_of
from hanok.api.compute.server_create import create
from hanok.api.dialects.dialect import Dialect
from hanok.api.dialects.nhn import NHN
from hanok.model import lifecycle
from hanok.model.errors import NotFound
from hanok.model.server import Server, ServerDetail, TaskState
from hanok.operations import delete_server
from hanok.store import journal, servers
from hanok.store.database import Reader, Transaction


def missing(server_id: str) -> NotFound:
    """Say, in Nova's words, that there is no such server, or that it is another project's."""
    return NotFound(f"Instance {server_id} could not be found.")


def find(reader: Reader, call: Call) -> Server:
    """Return the server that the path names (an administrator's: anybody's); raises NotFound."""
    server_id = call.params["server"]
    server = servers.get(reader, _project(call), server_id)
    if server is None:
        raise missing(server_id)
    return server


def find_to_change(tx: Transaction, call: Call, *, despite_lock: bool = False) -> Server:
    """`find` for a request that changes the server, which nobody else changes meanwhile.

    Raises Conflict where the server is locked and the caller no administrator, unless the change
    is one that Nova allows `despite_lock`.
    """
    server_id = call.params["server"]
    server = servers.hold(tx, _project(call), server_id)
    if server is None:
        raise missing(server_id)
    if not despite_lock:
        lifecycle.check_lock(server, admin=call.credentials.is_admin)
    return server


def _project(call: Call) -> str | None:
    """Return the project whose servers the caller may name; None: all of them."""
    return None if call.credentials.is_admin else call.credentials.project_id


def _detail(call: Call, dialect: Dialect) -> Answer:
    server_id = call.params["server"]
    with call.region.store.read() as reader:
        found = servers.detail(reader, _project(call), server_id)
    if found is None:
        raise missing(server_id)
    links, admin = links_of(call, dialect.root), call.credentials.is_admin
    return Answer(200, {"server": dialect.view_server(found, links, admin=admin)})


def _list_details(call: Call, dialect: Dialect) -> Answer:
    links = links_of(call, dialect.root)
    page = _paging.page(call.query)
    with call.region.store.read() as reader:
        wanted = server_list.listing(call, page, reader)
        found = server_list.read_page(
            reader, wanted, call.query.get("name"), servers.page, _detail_key
        )
    admin = call.credentials.is_admin
    views = Views(found[: page.limit], lambda one: dialect.view_server(one, links, admin=admin))
    return Answer(200, _page_body(call, views, found, page.limit, "servers/detail"))


def _list_names(call: Call, dialect: Dialect) -> Answer:
    links = links_of(call, dialect.root)
    page = _paging.page(call.query)
    with call.region.store.read() as reader:
        wanted = server_list.listing(call, page, reader)
        found = server_list.read_page(
            reader, wanted, call.query.get("name"), servers.names, lambda item: item
        )
    views: list[Any] = [
        {"id": server_id, "links": links.both("servers", server_id), "name": name}
        for server_id, name, _ in found[: page.limit]
    ]
    return Answer(200, _page_body(call, views, found, page.limit, "servers"))


def _page_body(
    call: Call, views: Sequence[Any], found: Sequence[Any], limit: int, path: str
) -> dict[str, Any]:
    body: dict[str, Any] = {"servers": views}
    if views and len(found) > limit:
        body["servers_links"] = _paging.next_links(
            call.query, views[-1]["id"], links_of(call, "/v2").collection(path)
        )
    return body


def _detail_key(detail: ServerDetail) -> tuple[str, str, int]:
    return detail.server.id, detail.server.name, detail.server.created_at


def _update(call: Call, dialect: Dialect) -> Answer:
    name = dialect.read_update(call.body)
    with call.region.store.write() as tx:
        server = find_to_change(tx, call, despite_lock=True)
        if name is not None:
            servers.change(tx, server.id, call.region.clock.now(), {"name": name})
    return _detail(call, dialect)


def _delete(call: Call, _dialect: Dialect) -> Answer:
    """Accept a delete in every state; a second one while the first runs changes nothing."""
    with call.region.store.write() as tx:
        begin_delete(call, tx, find_to_change(tx, call))
    return Answer(204)


def begin_delete(call: Call, tx: Transaction, server: Server) -> None:
    """Submit a server's end, unless it is on its way already."""
    region = call.region
    lifecycle.check(lifecycle.ACTIONS["delete"], server)
    deleting = server.task_state == TaskState.DELETING
    if not (deleting and journal.unfinished(tx, f"server:{server.id}")):
        now = region.clock.now()
        servers.change(tx, server.id, now, {"task_state": TaskState.DELETING})
        delete_server.submit(tx, region.engine, server)


def _bind(handler: Callable[[Call, Dialect], Answer], dialect: Dialect) -> Handler:
    return lambda call: handler(call, dialect)


def endpoints(dialect: Dialect) -> tuple[Endpoint, ...]:
    """Return the servers' endpoints in one dialect."""
    root = f"{dialect.root}/{{tenant}}/servers"
    one = f"{root}/{{server}}"
    return (
        Endpoint("GET", root, _bind(_list_names, dialect), "servers:read"),
        Endpoint("GET", f"{root}/detail", _bind(_list_details, dialect), "servers:read"),
        Endpoint("POST", root, _bind(create, dialect), "servers:create"),
        Endpoint("GET", one, _bind(_detail, dialect), "servers:read"),
        Endpoint("PUT", one, _bind(_update, dialect), "servers:update"),
        Endpoint("DELETE", one, _bind(_delete, dialect), "servers:delete"),
    )


ENDPOINTS = endpoints(NHN)
