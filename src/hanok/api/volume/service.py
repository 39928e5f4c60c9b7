"""The block storage service: versions, types, volumes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hanok.api._call import Answer, Call, Endpoint, Handler, Service
from hanok.api._errors import volume_shape
from hanok.api.volume import volume_create, volumes
from hanok.model.errors import NotFound
from hanok.model.volume import VolumeType
from hanok.store import volumes as store

_VERSIONS = {"v2": ("v2.0", "DEPRECATED", "", ""), "v3": ("v3.0", "CURRENT", "3.0", "3.0")}


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


def _type(one: VolumeType) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "is_public": one.is_public,
        "os-volume-type-access:is_public": one.is_public,
        "qos_specs_id": None,
        "extra_specs": one.extra_specs,
    }


def _types(call: Call) -> Answer:
    with call.region.store.read() as reader:
        return Answer(200, {"volume_types": [_type(one) for one in store.types(reader)]})


def _one_type(call: Call) -> Answer:
    wanted = call.params["type"]
    with call.region.store.read() as reader:
        for one in store.types(reader):
            if one.id == wanted or (wanted == "default" and one.position == 0):
                return Answer(200, {"volume_type": _type(one)})
    raise NotFound(f"Volume type {wanted} could not be found.")


def _empty(name: str) -> Handler:
    return lambda _call: Answer(200, {name: []})


def _no_snapshot(call: Call) -> Answer:
    raise NotFound(f"Snapshot {call.params['snapshot']} could not be found.")


def _limits(_call: Call) -> Answer:
    absolute = {
        "maxTotalVolumes": -1,
        "maxTotalSnapshots": -1,
        "maxTotalVolumeGigabytes": -1,
        "maxTotalBackups": -1,
        "maxTotalBackupGigabytes": -1,
        "totalVolumesUsed": 0,
        "totalSnapshotsUsed": 0,
        "totalGigabytesUsed": 0,
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }
    return Answer(200, {"limits": {"rate": [], "absolute": absolute}})


def _quota(call: Call) -> Answer:
    """Say that nothing of a project's block storage is limited."""
    names = ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes", "groups")
    values = {**dict.fromkeys(names, -1), "per_volume_gigabytes": -1}
    if call.query.flag("usage"):
        values_in_use = {name: {"limit": -1, "in_use": 0, "reserved": 0} for name in values}
        return Answer(200, {"quota_set": {"id": call.params["project"], **values_in_use}})
    return Answer(200, {"quota_set": {"id": call.params["project"], **values}})


def _endpoints(version: str) -> list[Endpoint]:
    root = f"/{version}/{{tenant}}"
    read: Callable[..., Endpoint] = partial(Endpoint, "GET", permission="volumes:read")
    return [
        Endpoint(
            "GET", f"/{version}", partial(_versions, names=(version,), status=200), auth=False
        ),
        read(path=f"{root}/types", handler=_types),
        read(path=f"{root}/types/{{type}}", handler=_one_type),
        read(path=f"{root}/volumes", handler=partial(volumes.listed, version=version, long=False)),
        read(
            path=f"{root}/volumes/detail",
            handler=partial(volumes.listed, version=version, long=True),
        ),
        read(path=f"{root}/volumes/{{volume}}", handler=partial(volumes.show, version=version)),
        Endpoint("DELETE", f"{root}/volumes/{{volume}}", volumes.delete, "volumes:write"),
        Endpoint(
            "POST",
            f"{root}/volumes",
            partial(volume_create.create, version=version),
            "volumes:write",
        ),
        Endpoint(
            "PUT",
            f"{root}/volumes/{{volume}}",
            partial(volume_create.update, version=version),
            "volumes:write",
        ),
        read(path=f"{root}/snapshots", handler=_empty("snapshots")),
        read(path=f"{root}/snapshots/detail", handler=_empty("snapshots")),
        read(path=f"{root}/snapshots/{{snapshot}}", handler=_no_snapshot),
        read(path=f"{root}/extensions", handler=_empty("extensions")),
        read(path=f"{root}/limits", handler=_limits),
        read(path=f"{root}/os-quota-sets/{{project}}", handler=_quota),
    ]


def service() -> Service:
    """Return the service, to be mounted below `/{region}/volume`."""
    endpoints = (
        Endpoint("GET", "", _versions, auth=False),
        *_endpoints("v2"),
        *_endpoints("v3"),
    )
    return Service("volume", endpoints, volume_shape)
