"""Quotas of the network service: what a project may have and has, and an administrator's changes.

Only what is offered has a quota: networks (VPCs), subnets, ports, security groups and their rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from hanok.api._body import decode
from hanok.api._call import Answer, Call, Endpoint
from hanok.api._project import named_project
from hanok.api.network.fields import flag
from hanok.model.errors import Forbidden, Invalid
from hanok.model.network_quota import NetworkQuota
from hanok.store import network_quotas
from hanok.store.database import Reader

ROOT = "/v2.0/quotas"
_LARGEST = 2**31 - 1
_NO_PROJECT = "Invalid input for project_id. Reason: '{}' is no project's id."
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_NAMES = tuple(asdict(NetworkQuota()))


class _Update(msgspec.Struct):
    quota: dict[str, Any]


def _view(limits: NetworkQuota) -> dict[str, Any]:
    return {"quota": asdict(limits)}


def listed(call: Call) -> Answer:
    """Serve GET quotas: the projects whose limits an administrator has changed (Neutron)."""
    with call.region.store.read() as reader:
        known = network_quotas.changed(reader)
    shown = [
        {**asdict(limits), "project_id": project_id, "tenant_id": project_id}
        for project_id, limits in known.items()
    ]
    return Answer(200, {"quotas": shown})


def show(call: Call) -> Answer:
    """Serve GET quotas/{project}."""
    project_id = _readable(call)
    with call.region.store.read() as reader:
        return Answer(200, _view(network_quotas.limits_of(reader, project_id)))


def defaults(call: Call) -> Answer:
    """Serve GET quotas/{project}/default."""
    _readable(call)
    return Answer(200, _view(NetworkQuota()))


def details(call: Call) -> Answer:
    """Serve GET quotas/{project}/details: beside each limit what is used."""
    project_id = _readable(call)
    with call.region.store.read() as reader:
        limits = asdict(network_quotas.limits_of(reader, project_id))
        used = network_quotas.usage_of(reader, project_id)
    shown = {
        name: {"limit": limit, "used": used[name], "reserved": 0} for name, limit in limits.items()
    }
    return Answer(200, {"quota": shown})


def update(call: Call) -> Answer:
    """Serve PUT quotas/{project}: 200; less than what is used only without `check_limit`."""
    project_id = named_project(call, _NO_PROJECT)
    asked = decode(call.body, _Update).quota
    check = flag("check_limit", asked.pop("check_limit", None), False)
    flag("force", asked.pop("force", None), False)
    unknown = sorted(asked.keys() - set(_NAMES))
    if unknown:
        raise Invalid(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    changes = {name: _number(name, value) for name, value in asked.items()}
    with call.region.store.write() as tx:
        limits = network_quotas.change(tx, project_id, changes)
        if check:
            _check_use(tx, project_id, changes)
    return Answer(200, _view(limits))


def reset(call: Call) -> Answer:
    """Serve DELETE quotas/{project}: 204."""
    project_id = named_project(call, _NO_PROJECT)
    with call.region.store.write() as tx:
        network_quotas.reset(tx, project_id)
    return Answer(204)


def _readable(call: Call) -> str:
    """Return the project that the path names: the caller's own, or any for an administrator."""
    project_id = call.params["project"]
    if project_id != call.credentials.project_id and not call.credentials.is_admin:
        raise Forbidden("rule:get_quota is disallowed by policy")
    return project_id


def _number(name: str, value: Any) -> int:
    """Read a limit: an integer, or a string of one, from -1."""
    number = value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise Invalid(f"Invalid input for {name}. Reason: '{str(value)[:32]}' is not an integer.")
    if not -1 <= number <= _LARGEST:
        raise Invalid(
            f"Invalid input for {name}. Reason: '{number}' is not in range [-1, {_LARGEST}]."
        )
    return number


def _check_use(reader: Reader, project_id: str, changes: Mapping[str, int]) -> None:
    for name, limit in changes.items():
        taken = network_quotas.used(reader, project_id, name)
        if 0 <= limit < taken:
            raise Invalid(
                f"Quota limit {limit} for {name} must be greater than or equal to already used "
                f"{taken}"
            )


ENDPOINTS = (
    Endpoint("GET", ROOT, listed, "cloud:operate"),
    Endpoint("GET", f"{ROOT}/{{project}}", show, "limits:read"),
    Endpoint("GET", f"{ROOT}/{{project}}/default", defaults, "limits:read"),
    Endpoint("GET", f"{ROOT}/{{project}}/details", details, "limits:read"),
    # The suffix is what python-neutronclient's users send.
    Endpoint("GET", f"{ROOT}/{{project}}/details.json", details, "limits:read"),
    Endpoint("PUT", f"{ROOT}/{{project}}", update, "cloud:operate"),
    Endpoint("DELETE", f"{ROOT}/{{project}}", reset, "cloud:operate"),
)
