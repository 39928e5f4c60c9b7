"""Security groups and their rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group of a project."""

    id: str
    project_id: str
    name: str
    description: str
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """A rule: what may pass, in which direction, from or to whom."""

    id: str
    security_group_id: str
    project_id: str
    direction: str
    ethertype: str
    protocol: str | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None
    remote_group_id: str | None
    description: str
    created_at: int


DEFAULT = "default"
"""The name of the group that every project has."""


def let_out(rule_id: str, group: SecurityGroup) -> SecurityGroupRule:
    """Return the rule that a new group starts with: everything may leave (NHN Cloud: IPv4 only)."""
    return SecurityGroupRule(
        id=rule_id,
        security_group_id=group.id,
        project_id=group.project_id,
        direction="egress",
        ethertype="IPv4",
        protocol=None,
        port_range_min=None,
        port_range_max=None,
        remote_ip_prefix=None,
        remote_group_id=None,
        description="",
        created_at=group.created_at,
    )
