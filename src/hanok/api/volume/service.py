"""The block storage service: versions, types, volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hanok.api._call import Answer, Call, Endpoint, Handler, Service
from hanok.api._errors import volume_shape
from hanok.api.volume import limits, volume_create, volume_upload, volumes
from hanok.api.volume.volume_list import listed
from hanok.model.errors import NotFound, NotImplemented_
from hanok.store import volumes as volume_rows
from hanok.store import zones

_VERSIONS = {"v2": ("v2.0", "DEPRECATED", "", ""), "v3": ("v3.0", "CURRENT", "3.0", "3.0")}

_MICROVERSION = {"OpenStack-API-Version": "volume 3.0", "Vary": "OpenStack-API-Version"}
_EXTENSIONS = (
    ("VolumeTenantAttribute", "os-vol-tenant-attr", "The project of volumes."),
    ("VolumeImageMetadata", "os-vol-image-meta", "The image that volumes were made from."),
    ("VolumeTypeAccess", "os-volume-type-access", "Whether volume types are public."),
    ("AvailabilityZones", "os-availability-zone", "The region's availability zones."),
    ("Quotas", "os-quota-sets", "Quotas of projects."),
    ("UsedLimits", "os-used-limits", "What is used of a project's limits."),
)
_UPDATED = "2013-02-01T00:00:00Z"


def _document(call: Call, name: str) -> dict[str, Any]:
    number, status, newest, oldest = _VERSIONS[name]
    href = f"{call.base.service(call.region.name, 'volume')}/{name}/"
    return {
        "id": number,
        "status": status,
        "version": newest,
        "min_version": oldest,
        "updated": "2016-02-08T12:20:21Z",
        "links": [{"rel": "self", "href": href}],
    }


def _versions(call: Call, names: tuple[str, ...] = ("v2", "v3"), status: int = 300) -> Answer:
    return Answer(status, {"versions": [_document(call, name) for name in names]})


def _types(call: Call) -> Answer:
    """List the types; private ones are an administrator's, who may ask for either kind."""
    wanted: bool | None = True
    if call.credentials.is_admin:
        text = (call.query.get("is_public") or "true").lower()
        wanted = None if text == "none" else call.query.flag("is_public") is not False
    with call.region.store.read() as reader:
        known = volume_rows.types(reader)
    shown = [volumes.view_type(one) for one in known if wanted in (None, one.is_public)]
    return Answer(200, {"volume_types": shown})


def _one_type(call: Call) -> Answer:
    wanted = call.params["type"]
    with call.region.store.read() as reader:
        for one in volume_rows.types(reader):
            if one.id == wanted or (wanted == "default" and one.position == 0):
                return Answer(200, {"volume_type": volumes.view_type(one)})
    raise NotFound(f"Volume type {wanted} could not be found.")


def _zones(call: Call) -> Answer:
    with call.region.store.read() as reader:
        known = zones.all_zones(reader)
    shown = [{"zoneName": one.name, "zoneState": {"available": one.available}} for one in known]
    return Answer(200, {"availabilityZoneInfo": shown})


def _extensions(_call: Call) -> Answer:
    shown = [
        {
            "name": name,
            "alias": alias,
            "description": description,
            "updated": _UPDATED,
            "links": [],
            "namespace": "",
        }
        for name, alias, description in _EXTENSIONS
    ]
    return Answer(200, {"extensions": shown})


def _empty(name: str) -> Handler:
    return lambda _call: Answer(200, {name: []})


def _no_snapshot(call: Call) -> Answer:
    raise NotFound(f"Snapshot {call.params['snapshot']} could not be found.")


def _no_snapshots(_call: Call) -> Answer:
    raise NotImplemented_("Snapshots of volumes are not offered.")


def _said(handler: Handler, version: str) -> Handler:
    """Let v3's answers name their microversion, as Cinder's do; there is this one."""
    if version != "v3":
        return handler

    def answer(call: Call) -> Answer:
        given = handler(call)
        return replace(given, headers={**given.headers, **_MICROVERSION})

    return answer


def _read(root: str, version: str) -> list[Endpoint]:
    """Return what can be read of volumes and types."""
    handlers: Mapping[str, Handler] = {
        "types": _types,
        "types/{type}": _one_type,
        "volumes": partial(listed, version=version, long=False),
        "volumes/detail": partial(listed, version=version, long=True),
        "volumes/{volume}": partial(volumes.show, version=version),
        "snapshots": _empty("snapshots"),
        "snapshots/detail": _empty("snapshots"),
        "snapshots/{snapshot}": _no_snapshot,
        "extensions": _extensions,
        "os-availability-zone": _zones,
        "limits": limits.limits,
        "os-quota-sets/{project}": limits.quota,
        "os-quota-sets/{project}/defaults": limits.defaults,
    }
    return [
        Endpoint("GET", f"{root}/{path}", _said(handler, version), "volumes:read")
        for path, handler in handlers.items()
    ]


def _write(root: str, version: str) -> list[Endpoint]:
    """Return what changes volumes."""
    handlers: Mapping[tuple[str, str], Handler] = {
        ("POST", "volumes"): partial(volume_create.create, version=version),
        ("PUT", "volumes/{volume}"): partial(volume_create.update, version=version),
        ("DELETE", "volumes/{volume}"): volumes.delete,
        ("POST", "volumes/{volume}/action"): volume_upload.act,
        ("POST", "snapshots"): _no_snapshots,
        ("DELETE", "snapshots/{snapshot}"): _no_snapshot,
    }
    return [
        Endpoint(method, f"{root}/{path}", _said(handler, version), "volumes:write")
        for (method, path), handler in handlers.items()
    ]


def _endpoints(version: str) -> list[Endpoint]:
    document = partial(_versions, names=(version,), status=200)
    root = f"/{version}/{{tenant}}"
    return [
        Endpoint("GET", f"/{version}", document, auth=False),
        *_read(root, version),
        *_write(root, version),
    ]


def service() -> Service:
    """Return the service, to be mounted below `/{region}/volume`."""
    endpoints = (
        Endpoint("GET", "", _versions, auth=False),
        *_endpoints("v2"),
        *_endpoints("v3"),
    )
    return Service("volume", endpoints, volume_shape)
