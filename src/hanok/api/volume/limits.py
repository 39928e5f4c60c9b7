"""Limits and quotas of block storage: nothing is limited; what is used is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hanok.api._call import Answer, Call
from hanok.model.errors import Forbidden
from hanok.store import volumes

UNLIMITED = -1
_NAMES = (
    *("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes", "groups"),
    "per_volume_gigabytes",
)


def limits(call: Call) -> Answer:
    """Serve GET limits; an administrator may name another project by `project_id`."""
    query, credentials = call.query, call.credentials
    named = query.get("project_id") or query.get("tenant_id")
    used = _used(call, named if named and credentials.is_admin else credentials.project_id)
    absolute = {
        "maxTotalVolumes": UNLIMITED,
        "maxTotalSnapshots": UNLIMITED,
        "maxTotalVolumeGigabytes": UNLIMITED,
        "maxTotalBackups": UNLIMITED,
        "maxTotalBackupGigabytes": UNLIMITED,
        "totalVolumesUsed": used["volumes"],
        "totalGigabytesUsed": used["gigabytes"],
        "totalSnapshotsUsed": 0,
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }
    return Answer(200, {"limits": {"rate": [], "absolute": absolute}})


def quota(call: Call) -> Answer:
    """Serve GET os-quota-sets/{project}; with `usage`, beside what is used."""
    project_id = _project(call)
    if not call.query.flag("usage"):
        return defaults(call)
    used = _used(call, project_id)
    shown: dict[str, Any] = {
        name: {"limit": UNLIMITED, "in_use": used.get(name, 0), "reserved": 0} for name in _NAMES
    }
    return Answer(200, {"quota_set": {"id": project_id, **shown}})


def defaults(call: Call) -> Answer:
    """Serve GET os-quota-sets/{project}/defaults."""
    return Answer(200, {"quota_set": {"id": _project(call), **dict.fromkeys(_NAMES, UNLIMITED)}})


def _project(call: Call) -> str:
    """Return the project that the path names: the caller's own, or any for an administrator."""
    project_id = call.params["project"]
    if project_id != call.credentials.project_id and not call.credentials.is_admin:
        raise Forbidden("Policy doesn't allow volume_extension:quotas:show to be performed.")
    return project_id


def _used(call: Call, project_id: str) -> Mapping[str, int]:
    """Count what is used; there are no snapshots, backups and groups."""
    with call.region.store.read() as reader:
        used = volumes.usage(reader, project_id)
    return {"volumes": used.volumes, "gigabytes": used.size_gib}
