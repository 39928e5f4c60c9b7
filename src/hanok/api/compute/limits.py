"""Limits and quotas: what a project may have, what it has, and an administrator's changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api._project import named_project
from hanok.model.errors import Forbidden, Invalid
from hanok.model.quota import Quota, Usage
from hanok.store import quotas
from hanok.store.database import Reader

QUOTAS = "/v2/{tenant}/os-quota-sets/{project}"
_LARGEST = 2**31 - 1
_NO_PROJECT = "Project ID {} is not a valid project."
_NAMES: Mapping[str, str] = {
    **{name: name for name in asdict(Quota()) if name != "ram_mib"},
    "ram": "ram_mib",
}
"""Nova's names of quotas, and the fields of `Quota`."""


def _limits(call: Call) -> Answer:
    """Show the project's limits; an administrator may name another by `tenant_id`."""
    project_id = call.query.get("tenant_id") or call.credentials.project_id
    _check_reader(call, project_id)
    with call.region.store.read() as reader:
        limits = quotas.limits_of(reader, project_id)
        used = quotas.usage_of(reader, project_id)
    absolute = {
        "maxServerMeta": limits.metadata_items,
        "maxImageMeta": limits.metadata_items,
        "maxPersonality": limits.injected_files,
        "maxPersonalitySize": limits.injected_file_content_bytes,
        "maxTotalInstances": limits.instances,
        "maxTotalCores": limits.cores,
        "maxTotalRAMSize": limits.ram_mib,
        "maxTotalKeypairs": limits.key_pairs,
        "maxTotalFloatingIps": limits.floating_ips,
        "maxSecurityGroups": limits.security_groups,
        "maxSecurityGroupRules": limits.security_group_rules,
        "maxServerGroups": limits.server_groups,
        "maxServerGroupMembers": limits.server_group_members,
        "totalInstancesUsed": used.instances,
        "totalCoresUsed": used.cores,
        "totalRAMUsed": used.ram_mib,
        "totalFloatingIpsUsed": 0,
        "totalSecurityGroupsUsed": 0,
        "totalServerGroupsUsed": 0,
    }
    return Answer(200, {"limits": {"rate": [], "absolute": absolute}})


def _check_reader(call: Call, project_id: str) -> None:
    if project_id != call.credentials.project_id and not call.credentials.is_admin:
        raise Forbidden("Policy doesn't allow another project's quota to be read.")


def _view(limits: Quota) -> dict[str, int]:
    values = asdict(limits)
    return {name: values[field] for name, field in _NAMES.items()}


def _in_use(limits: Quota, used: Usage) -> dict[str, int]:
    taken = {"instances": used.instances, "cores": used.cores, "ram": used.ram_mib}
    return {name: taken.get(name, 0) for name in _view(limits)}


def _show(call: Call) -> Answer:
    project_id = call.params["project"]
    _check_reader(call, project_id)
    with call.region.store.read() as reader:
        limits = quotas.limits_of(reader, project_id)
    return Answer(200, {"quota_set": {"id": project_id, **_view(limits)}})


def _defaults(call: Call) -> Answer:
    project_id = call.params["project"]
    _check_reader(call, project_id)
    return Answer(200, {"quota_set": {"id": project_id, **_view(Quota())}})


def _details(call: Call) -> Answer:
    project_id = call.params["project"]
    _check_reader(call, project_id)
    with call.region.store.read() as reader:
        limits = quotas.limits_of(reader, project_id)
        used = _in_use(limits, quotas.usage_of(reader, project_id))
    shown: dict[str, Any] = {
        name: {"limit": limit, "in_use": used[name], "reserved": 0}
        for name, limit in _view(limits).items()
    }
    return Answer(200, {"quota_set": {"id": project_id, **shown}})


class _Update(msgspec.Struct):
    quota_set: dict[str, Any]


def _update(call: Call) -> Answer:
    """Change limits; less than what is in use only with `force` (Nova)."""
    project_id = named_project(call, _NO_PROJECT)
    asked = decode(call.body, _Update).quota_set
    changes = {field: _number(name, asked[name]) for name, field in _NAMES.items() if name in asked}
    with call.region.store.write() as tx:
        quotas.lock(tx, project_id)
        if str(asked.get("force", False)).lower() not in ("true", "1"):
            _check_use(tx, project_id, changes)
        limits = quotas.change(tx, project_id, changes)
    return Answer(200, {"quota_set": _view(limits)})


def _number(name: str, value: Any) -> int:
    """Read a limit: an integer, or a string of one, >= -1."""
    number = value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value.strip()):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not -1 <= number <= _LARGEST:
        raise Invalid(
            f"Invalid input for field/attribute {name}. Value: {str(value)[:32]}. "
            f"It is not an integer from -1 to {_LARGEST}"
        )
    return number


def _check_use(reader: Reader, project_id: str, changes: Mapping[str, int]) -> None:
    used = asdict(quotas.usage_of(reader, project_id))
    for name, field in _NAMES.items():
        limit, taken = changes.get(field, -1), used.get(field, 0)
        if 0 <= limit < taken:
            raise Invalid(
                f"Quota limit {limit} for {name} must be greater than or equal to already used "
                f"and reserved {taken}."
            )


def _delete(call: Call) -> Answer:
    project_id = named_project(call, _NO_PROJECT)
    with call.region.store.write() as tx:
        quotas.reset(tx, project_id)
    return Answer(202)


ENDPOINTS = (
    Endpoint("GET", "/v2/{tenant}/limits", _limits, "limits:read"),
    Endpoint("GET", QUOTAS, _show, "limits:read"),
    Endpoint("PUT", QUOTAS, _update, "cloud:operate"),
    Endpoint("DELETE", QUOTAS, _delete, "cloud:operate"),
    Endpoint("GET", f"{QUOTAS}/defaults", _defaults, "limits:read"),
    Endpoint("GET", f"{QUOTAS}/detail", _details, "limits:read"),
)
