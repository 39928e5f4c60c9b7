"""How a server looks to a client: every field of the guide's "Get Instance", and Nova's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from hanok.api._links import Links
from hanok.model.moments import iso, iso_micro
from hanok.model.server import ServerDetail

_PROGRESS = frozenset(
    {
        "ACTIVE",
        "BUILD",
        "REBUILD",
        "RESIZE",
        "VERIFY_RESIZE",
        "REVERT_RESIZE",
        "MIGRATING",
        "SHUTOFF",
        "REBOOT",
        "HARD_REBOOT",
        "PASSWORD",
    }
)


@lru_cache(maxsize=4096)
def host_id(project_id: str, host: str) -> str:
    """Hide a host's name from a project: Nova's sha224 of project and host."""
    return hashlib.sha224((project_id + host).encode()).hexdigest()


def view_server(detail: ServerDetail, links: Links, *, admin: bool) -> dict[str, Any]:
    """Return the server as JSON-able values; an administrator sees all of a fault."""
    server = detail.server
    status = detail.status
    view: dict[str, Any] = {
        "id": server.id,
        "name": server.name,
        "status": status,
        "updated": iso(server.updated_at),
        "created": iso(server.created_at),
        "hostId": host_id(server.project_id, server.host_id) if server.host_id else "",
        "addresses": _addresses(detail),
        "links": links.both("servers", server.id),
        "key_name": server.key_name,
        "image": _reference(links, "images", server.image_id),
        "flavor": _reference(links, "flavors", server.flavor_id),
        "user_id": server.user_id,
        "tenant_id": server.project_id,
        "accessIPv4": "",
        "accessIPv6": "",
        "config_drive": server.config_drive,
        "metadata": {**server.image_metadata, **server.metadata},
        **_extensions(detail),
    }
    if detail.nics:
        names = dict.fromkeys([group["name"] for group in _in_order(detail.groups, _position)])
        view["security_groups"] = [{"name": name} for name in names]
    if status in _PROGRESS:
        view["progress"] = 0
    if server.fault is not None and status in ("ERROR", "DELETED"):
        view["fault"] = _fault(server.fault, admin=admin)
    return view


def _extensions(detail: ServerDetail) -> dict[str, Any]:
    server = detail.server
    return {
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": server.availability_zone,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:power_state": server.power_state,
        "OS-SRV-USG:launched_at": iso_micro(server.launched_at),
        "OS-SRV-USG:terminated_at": iso(server.terminated_at),
        "os-extended-volumes:volumes_attached": [
            {"id": volume["id"]} for volume in _in_order(detail.volumes, _device)
        ],
        "NHN-EXT-ATTR:ephemeral_disk_size": server.ephemeral_gib,
    }


def _reference(links: Links, collection: str, item: str | None) -> dict[str, Any] | str:
    return {"id": item, "links": links.bookmark(collection, item)} if item else ""


def _in_order(
    items: list[dict[str, Any]], key: Callable[[dict[str, Any]], tuple[int, str]]
) -> list[dict[str, Any]]:
    """Sort; most servers have one of each, and then there is nothing to do."""
    return sorted(items, key=key) if len(items) > 1 else items


def _device(volume: dict[str, Any]) -> tuple[int, str]:
    return len(volume["device"]), volume["device"]


def _position(item: dict[str, Any]) -> tuple[int, str]:
    return item["position"], item.get("name", "")


def _addresses(detail: ServerDetail) -> dict[str, list[dict[str, Any]]]:
    addresses: dict[str, list[dict[str, Any]]] = {}
    for nic in _in_order(detail.nics, _position):
        addresses.setdefault(nic["network"], []).append(
            {
                "OS-EXT-IPS-MAC:mac_addr": nic["mac"],
                "version": 4,
                "addr": nic["address"],
                "OS-EXT-IPS:type": "fixed",
            }
        )
    return addresses


def _fault(fault: dict[str, Any], *, admin: bool) -> dict[str, Any]:
    """Show a tenant what happened; `details` (the step, paths, what a host said) are an operator's.

    Nova shows details of codes other than 500 to tenants, too; here all of them are the host's.
    """
    shown = {
        "code": fault["code"],
        "created": iso(fault["created_at"]),
        "message": fault["message"],
    }
    if admin and fault["details"]:
        shown["details"] = fault["details"]
    return shown
