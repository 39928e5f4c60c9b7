"""What of Neutron's extensions is offered: clients ask before they use one."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.model.errors import NotFound

_EXTENSIONS = {
    "security-group": ("security-group", "Security groups and their rules; recorded, not enforced"),
    "quotas": ("Quota management support", "Limits of each project"),
    "quota_details": ("Quota details management support", "What of its limits a project uses"),
    "external-net": ("Neutron external network", "The attribute router:external of networks"),
    "net-mtu": ("Network MTU", "The attribute mtu of networks"),
    "pagination": ("Pagination support", "Lists in pages: limit, marker, page_reverse"),
    "sorting": ("Sorting support", "Lists in an order: sort_key, sort_dir"),
    "project-id": ("project_id field enabled", "project_id beside tenant_id"),
    "standard-attr-description": ("standard-attr-description", "Descriptions of all objects"),
    "standard-attr-timestamp": ("Resource timestamps", "created_at and updated_at of all objects"),
    "empty-string-filtering": ("Empty String Filtering Extension", "Filters by an empty value"),
    "ip-substring-filtering": ("IP address substring filtering", "fixed_ips=ip_address_substr=…"),
}
_UPDATED = "2026-01-01T00:00:00-00:00"


class ExtensionNotFound(NotFound):
    """No extension has that alias."""

    neutron_type = "ExtensionNotFound"


def _view(alias: str) -> dict[str, Any]:
    name, description = _EXTENSIONS[alias]
    return {
        "alias": alias,
        "name": name,
        "description": description,
        "updated": _UPDATED,
        "links": [],
    }


def listed(_call: Call) -> Answer:
    """Serve GET extensions."""
    return Answer(200, {"extensions": [_view(alias) for alias in _EXTENSIONS]})


def show(call: Call) -> Answer:
    """Serve GET extensions/{alias}."""
    alias = call.params["alias"]
    if alias not in _EXTENSIONS:
        raise ExtensionNotFound(f"Extension with alias {alias} does not exist")
    return Answer(200, {"extension": _view(alias)})


ENDPOINTS = (
    Endpoint("GET", "/v2.0/extensions", listed, "networks:read"),
    Endpoint("GET", "/v2.0/extensions/{alias}", show, "networks:read"),
)
