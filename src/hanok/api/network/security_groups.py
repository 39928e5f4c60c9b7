"""Security groups: create, change, delete; the project's default group is always there."""

from __future__ import annotations

import msgspec

from hanok.api._call import Answer, Call, Endpoint
from hanok.api.network import views
from hanok.api.network.attributes import STANDARD, Attributes
from hanok.api.network.collections import Missing
from hanok.api.network.fields import Short, check_project
from hanok.model.errors import Conflict
from hanok.model.security_group import DEFAULT, SecurityGroup, let_out
from hanok.store import first_start, network_quotas, security_groups
from hanok.store.database import Transaction


class _New(msgspec.Struct):
    name: Short = ""
    description: Short | None = None
    tenant_id: str | None = None
    project_id: str | None = None


class _Change(msgspec.Struct):
    name: Short | None = None
    description: Short | None = None


_ATTRIBUTES = Attributes(
    "security_group",
    _New,
    _Change,
    shown=STANDARD | {"security_group_rules", "shared"},
    fixed={"stateful": True},
)


class DefaultGroupExists(Conflict):
    """The name is the default group's."""

    neutron_type = "SecurityGroupDefaultAlreadyExists"

    def __init__(self) -> None:
        super().__init__("Default security group already exists.")


class DefaultGroupRenamed(Conflict):
    """The default group keeps its name."""

    neutron_type = "SecurityGroupCannotUpdateDefault"


class DefaultGroupRemoved(Conflict):
    """The default group stays."""

    neutron_type = "SecurityGroupCannotRemoveDefault"


class SecurityGroupInUse(Conflict):
    """A port is in the group."""

    neutron_type = "SecurityGroupInUse"


def ensure_default(call: Call) -> None:
    """Make the caller's default group where the project comes to this region first (Neutron)."""
    project_id = call.credentials.project_id
    with call.region.store.read() as reader:
        known = security_groups.of_project(reader, project_id)
    if not any(group.name == DEFAULT for group in known):
        with call.region.store.write() as tx:
            first_start.ensure_project(tx, call.region.clock, project_id)


def create(call: Call) -> Answer:
    """Serve POST security-groups: 201; a new group lets everything out and nothing in."""
    asked = _ATTRIBUTES.to_create(call.body)
    check_project(call.credentials, asked.tenant_id, asked.project_id)
    if asked.name.lower() == DEFAULT:
        raise DefaultGroupExists
    clock, project_id = call.region.clock, call.credentials.project_id
    now = clock.now()
    group = SecurityGroup(
        id=clock.new_id(),
        project_id=project_id,
        name=asked.name,
        description=asked.description or "",
        created_at=now,
        updated_at=now,
    )
    rule = let_out(clock.new_id(), group)
    with call.region.store.write() as tx:
        first_start.ensure_project(tx, clock, project_id)
        network_quotas.take(tx, project_id, "security_group")
        security_groups.add(tx, group)
        security_groups.add_rule(tx, rule)
    return Answer(201, {"security_group": views.security_group(group, [rule])})


def update(call: Call) -> Answer:
    """Serve PUT security-groups/{id}: name and description; the default group keeps its name."""
    asked = _ATTRIBUTES.to_change(call.body)
    given = {k: v for k, v in msgspec.structs.asdict(asked).items() if v is not None}
    with call.region.store.write() as tx:
        group = _find(tx, call)
        if "name" in given and given["name"] != group.name:
            if group.name == DEFAULT:
                raise DefaultGroupRenamed("Updating default security group not allowed.")
            if given["name"].lower() == DEFAULT:
                raise DefaultGroupExists
        security_groups.change(tx, group.id, given, call.region.clock.now())
        group = _find(tx, call)
        rules = security_groups.rules_of(tx, group.id)
    return Answer(200, {"security_group": views.security_group(group, rules)})


def delete(call: Call) -> Answer:
    """Serve DELETE security-groups/{id}: 204; rules that name the group as remote go with it."""
    with call.region.store.write() as tx:
        group = _find(tx, call)
        if group.name == DEFAULT:
            raise DefaultGroupRemoved("Insufficient rights for removing default security group.")
        if not security_groups.remove(tx, group.id):
            raise SecurityGroupInUse(f"Security Group {group.id} in use.")
    return Answer(204)


def _find(tx: Transaction, call: Call) -> SecurityGroup:
    group_id = call.params["id"]
    group = security_groups.get(tx, call.credentials.project_id, group_id)
    if group is None:
        raise Missing("SecurityGroup", "Security group", group_id)
    return group


ENDPOINTS = (
    Endpoint("POST", "/v2.0/security-groups", create, "networks:write"),
    Endpoint("PUT", "/v2.0/security-groups/{id}", update, "networks:write"),
    Endpoint("DELETE", "/v2.0/security-groups/{id}", delete, "networks:write"),
)
