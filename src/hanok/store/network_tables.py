"""The tables of a region's networks: networks, subnets, ports, security groups."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from hanok.store.columns import Instant, Json
from hanok.store.region_metadata import metadata

networks = Table(
    "networks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", String(255), nullable=False, default=""),
    Column("status", String(16), nullable=False),
    Column("admin_state_up", Boolean, nullable=False, default=True),
    Column("shared", Boolean, nullable=False, default=False),
    Column("external", Boolean, nullable=False, default=False),
    Column("mtu", Integer, nullable=False),
    Column("cidr", String(64)),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "project_id"),
)

subnets = Table(
    "subnets",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("network_id", ForeignKey("networks.id"), nullable=False),
    Column("project_id", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", String(255), nullable=False, default=""),
    Column("cidr", String(64), nullable=False),
    Column("gateway_ip", String(64)),
    Column("enable_dhcp", Boolean, nullable=False, default=True),
    Column("dns_nameservers", Json, nullable=False),
    Column("allocation_pools", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "network_id"),
)

ports = Table(
    "ports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("network_id", ForeignKey("networks.id"), nullable=False),
    Column("project_id", String(32), nullable=False),
    Column("name", String(255), nullable=False, default=""),
    Column("description", String(255), nullable=False, default=""),
    Column("mac_address", String(17), nullable=False),
    Column("admin_state_up", Boolean, nullable=False, default=True),
    Column("status", String(16), nullable=False),
    Column("device_id", String(255), nullable=False, default=""),
    Column("device_owner", String(255), nullable=False, default=""),
    Column("server_id", ForeignKey("servers.id")),
    Column("position", Integer, nullable=False, default=0),
    Column("created_for_server", Boolean, nullable=False, default=False),
    Column("host_id", ForeignKey("hosts.id")),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("network_id", "mac_address"),
    Index(None, "server_id"),
    Index(None, "project_id"),
)

fixed_ips = Table(
    "fixed_ips",
    metadata,
    Column("subnet_id", ForeignKey("subnets.id"), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("port_id", ForeignKey("ports.id", ondelete="CASCADE"), nullable=False),
    Index(None, "port_id"),
)

security_groups = Table(
    "security_groups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", String(255), nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "project_id"),
    Index(
        "uq_security_groups_default",
        "project_id",
        unique=True,
        sqlite_where=text("name = 'default'"),
        postgresql_where=text("name = 'default'"),
    ),
)

security_group_rules = Table(
    "security_group_rules",
    metadata,
    Column("id", String(36), primary_key=True),
    Column(
        "security_group_id", ForeignKey("security_groups.id", ondelete="CASCADE"), nullable=False
    ),
    Column("project_id", String(32), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("ethertype", String(8), nullable=False),
    Column("protocol", String(16)),
    Column("port_range_min", Integer),
    Column("port_range_max", Integer),
    Column("remote_ip_prefix", String(64)),
    Column("remote_group_id", ForeignKey("security_groups.id", ondelete="CASCADE")),
    Column("description", String(255), nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Index(None, "security_group_id"),
)

port_security_groups = Table(
    "port_security_groups",
    metadata,
    Column("port_id", ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True),
    Column("security_group_id", ForeignKey("security_groups.id"), primary_key=True),
    Index(None, "security_group_id"),
)
