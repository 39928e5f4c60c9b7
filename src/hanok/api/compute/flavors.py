"""Flavors: the guide's two lists, what every client asks besides, and an operator's own flavors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from hanok.api import _paging
from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api._links import Links
from hanok.api._query import count
from hanok.api.compute.links import links_of
from hanok.model.errors import Conflict, Invalid, NotFound
from hanok.model.flavor import Flavor
from hanok.store import flavors

ROOT = "/v2/{tenant}/flavors"
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
_ID = re.compile(r"[A-Za-z0-9._-][A-Za-z0-9 ._-]{0,34}[A-Za-z0-9._-]|[A-Za-z0-9._-]")
_LARGEST = 2**31 - 1
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
_Size = Annotated[int, msgspec.Meta(ge=1, le=_LARGEST)]
_View = Callable[[Flavor, Links], dict[str, Any]]


def _listing(call: Call, page: _paging.Page) -> flavors.Listing:
    """Read a list's filters; `minDisk` (GB) and `minRam` (MB) are met by equality, too (Nova)."""
    query = call.query
    sort_key = query.get("sort_key") or "flavorid"
    if sort_key not in flavors.SORT_KEYS:
        raise Invalid(f"Sort key supplied was not valid: {sort_key}.")
    sort_dir = query.get("sort_dir") or "asc"
    if sort_dir not in ("asc", "desc"):
        raise Invalid(f"Unknown sort direction, must be one of: asc, desc; not {sort_dir}.")
    return flavors.Listing(
        project_id=call.credentials.project_id,
        limit=page.limit + 1,
        min_disk_gib=_minimum(call, "minDisk"),
        min_ram_mib=_minimum(call, "minRam"),
        public=_public(call),
        with_disabled=call.credentials.is_admin,
        sort_key=sort_key,
        descending=sort_dir == "desc",
        marker=page.marker,
    )


def _minimum(call: Call, name: str) -> int:
    """Read a filter; 0 when absent. More than any flavor has is met by none (Nova)."""
    value = call.query.get(name)
    least = 0 if value is None else count(value, _LARGEST)
    if least is None:
        raise Invalid(f"Invalid {name} filter [{value}]")
    return least


def _public(call: Call) -> bool | None:
    """Read `is_public`: none, true or false; only an administrator sees others' flavors (Nova)."""
    text = call.query.get("is_public")
    if text is None or not call.credentials.is_admin:
        return True
    word = text.strip().lower()
    if word == "none":
        return None
    if word not in _TRUE | _FALSE:
        raise Invalid(f"Invalid is_public filter [{text}]")
    return word in _TRUE


def _list(call: Call, view: _View, path: str) -> Answer:
    page = _paging.page(call.query, default=_paging.LARGEST)
    with call.region.store.read() as reader:
        found = flavors.page(reader, _listing(call, page))
    if found is None:
        raise Invalid(f"marker [{page.marker}] not found")
    links = links_of(call, "/v2")
    shown = found[: page.limit]
    body: dict[str, Any] = {"flavors": [view(flavor, links) for flavor in shown]}
    if shown and len(found) > len(shown):
        address = links.collection(path)
        body["flavors_links"] = _paging.next_links(call.query, shown[-1].id, address)
    return Answer(200, body)


def _names(call: Call) -> Answer:
    return _list(call, _short, "flavors")


def _details(call: Call) -> Answer:
    return _list(call, _long, "flavors/detail")


def _short(flavor: Flavor, links: Links) -> dict[str, Any]:
    return {"id": flavor.id, "links": links.both("flavors", flavor.id), "name": flavor.name}


def _long(flavor: Flavor, links: Links) -> dict[str, Any]:
    return {
        **_short(flavor, links),
        "ram": flavor.ram_mib,
        "vcpus": flavor.vcpus,
        "disk": flavor.disk_gib,
        "swap": flavor.swap_mib or "",
        "rxtx_factor": flavor.rxtx_factor,
        "OS-FLV-DISABLED:disabled": flavor.disabled,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gib,
        "os-flavor-access:is_public": flavor.is_public,
        "extra_specs": flavor.extra_specs,
    }


def _missing(call: Call) -> NotFound:
    return NotFound(f"Flavor {call.params['flavor']} could not be found.")


def _find(call: Call) -> Flavor:
    credentials = call.credentials
    project = None if credentials.is_admin else credentials.project_id
    with call.region.store.read() as reader:
        flavor = flavors.get(reader, call.params["flavor"], project)
    if flavor is None:
        raise _missing(call)
    return flavor


def _one(call: Call) -> Answer:
    return Answer(200, {"flavor": _long(_find(call), links_of(call, "/v2"))})


def _extra_specs(call: Call) -> Answer:
    return Answer(200, {"extra_specs": _find(call).extra_specs})


# -- an operator's flavors -----------------------------------------------------------------------


class _Flavor(msgspec.Struct):
    name: _Name
    vcpus: _Size
    ram: _Size
    disk: _Count
    id: str | None = None
    swap: _Count = 0
    rxtx_factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    ephemeral: _Count = msgspec.field(name="OS-FLV-EXT-DATA:ephemeral", default=0)
    is_public: bool = msgspec.field(name="os-flavor-access:is_public", default=True)


class _Create(msgspec.Struct):
    flavor: _Flavor


def _create(call: Call) -> Answer:
    """Make a flavor; one that is not public may be used by the caller's project (Nova)."""
    asked = decode(call.body, _Create).flavor
    clock = call.region.clock
    if asked.id in (None, "", "auto"):
        asked.id = clock.new_id()
    elif not _ID.fullmatch(asked.id):
        raise Invalid(
            "Invalid input for field/attribute id. It has 1 to 36 letters, digits, spaces, '.', "
            "'-' and '_', and no space at either end."
        )
    flavor = Flavor(
        id=asked.id,
        name=asked.name.strip(),
        vcpus=asked.vcpus,
        ram_mib=asked.ram,
        disk_gib=asked.disk,
        ephemeral_gib=asked.ephemeral,
        swap_mib=asked.swap,
        rxtx_factor=asked.rxtx_factor,
        is_public=asked.is_public,
        disabled=False,
        extra_specs={},
        created_at=clock.now(),
    )
    if not flavor.name:
        raise Invalid("Invalid input for field/attribute name. Value: . '' is too short")
    with call.region.store.write() as tx:
        if not flavors.add(tx, flavor):
            taken = flavors.get(tx, flavor.id, None)
            what = f"ID {flavor.id}" if taken else f"name {flavor.name}"
            raise Conflict(f"Flavor with {what} already exists.")
        if not flavor.is_public:
            flavors.allow(tx, flavor.id, call.credentials.project_id)
    return Answer(200, {"flavor": _long(flavor, links_of(call, "/v2"))})


def _delete(call: Call) -> Answer:
    with call.region.store.write() as tx:
        if not flavors.remove(tx, call.params["flavor"]):
            raise _missing(call)
    return Answer(202)


ENDPOINTS = (
    Endpoint("GET", ROOT, _names, "flavors:read"),
    Endpoint("POST", ROOT, _create, "cloud:operate"),
    Endpoint("GET", f"{ROOT}/detail", _details, "flavors:read"),
    Endpoint("GET", f"{ROOT}/{{flavor}}", _one, "flavors:read"),
    Endpoint("DELETE", f"{ROOT}/{{flavor}}", _delete, "cloud:operate"),
    Endpoint("GET", f"{ROOT}/{{flavor}}/os-extra_specs", _extra_specs, "flavors:read"),
)
