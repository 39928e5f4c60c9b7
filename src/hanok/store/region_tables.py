"""The tables of one region: everything but identity. No foreign key leaves the region.

Moments are microseconds since 1970 (`Instant`); ids are 36-character UUIDs unless said otherwise;
project and user ids are identity's 32 hexadecimal digits.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hanok.store.columns import Instant, Json, Serial
from hanok.store.journal_tables import (
    incarnations,
    operation_steps,
    operation_subjects,
    operations,
)
from hanok.store.network_tables import (
    fixed_ips,
    networks,
    port_security_groups,
    ports,
    security_group_rules,
    security_groups,
    subnets,
)
from hanok.store.region_metadata import metadata

__all__ = [
    "claims",
    "deployment",
    "fixed_ips",
    "flavor_access",
    "flavors",
    "host_zones",
    "hosts",
    "images",
    "incarnations",
    "key_pairs",
    "local_disks",
    "metadata",
    "networks",
    "operation_steps",
    "operation_subjects",
    "operations",
    "port_security_groups",
    "ports",
    "projects",
    "quotas",
    "security_group_rules",
    "security_groups",
    "server_events",
    "servers",
    "subnets",
    "volume_attachments",
    "volume_types",
    "volumes",
    "zones",
]

flavors = Table(
    "flavors",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("vcpus", Integer, nullable=False),
    Column("ram_mib", Integer, nullable=False),
    Column("disk_gib", Integer, nullable=False),
    Column("ephemeral_gib", Integer, nullable=False, default=0),
    Column("swap_mib", Integer, nullable=False, default=0),
    Column("rxtx_factor", Float, nullable=False, default=1.0),
    Column("is_public", Boolean, nullable=False, default=True),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("extra_specs", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
)

flavor_access = Table(
    "flavor_access",
    metadata,
    Column("flavor_id", ForeignKey("flavors.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", String(32), primary_key=True),
)

zones = Table(
    "zones",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("available", Boolean, nullable=False, default=True),
)

hosts = Table(
    "hosts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("driver", String(32), nullable=False),
    Column("accel", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # joining, up, down
    Column("vcpus", Integer, nullable=False),
    Column("ram_mib", Integer, nullable=False),
    Column("disk_gib", Integer, nullable=False),
    Column("used_vcpus", Integer, nullable=False, default=0),
    Column("used_ram_mib", Integer, nullable=False, default=0),
    Column("used_disk_gib", Integer, nullable=False, default=0),
    Column("seen_at", Instant, nullable=False),
    CheckConstraint("used_vcpus >= 0 AND used_ram_mib >= 0 AND used_disk_gib >= 0", name="used"),
)

host_zones = Table(
    "host_zones",
    metadata,
    Column("host_id", ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    Column("zone", ForeignKey("zones.name"), primary_key=True),
)

key_pairs = Table(
    "key_pairs",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("user_id", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("public_key", Text, nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,
)

images = Table(
    "images",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255)),
    Column("project_id", String(32)),
    Column("status", String(32), nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("protected", Boolean, nullable=False, default=False),
    Column("disk_format", String(16)),
    Column("container_format", String(16)),
    Column("size_bytes", Serial),
    Column("virtual_bytes", Serial),
    Column("checksum", String(32)),
    Column("min_disk_gib", Integer, nullable=False, default=0),
    Column("min_ram_mib", Integer, nullable=False, default=0),
    Column("properties", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "created_at", "id"),
)

volume_types = Table(
    "volume_types",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", String(255)),
    Column("is_public", Boolean, nullable=False, default=True),
    Column("extra_specs", Json, nullable=False),
    Column("position", Integer, nullable=False),
)

volumes = Table(
    "volumes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(32), nullable=False),
    Column("user_id", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", String(255)),
    Column("status", String(32), nullable=False),
    Column("size_gib", Integer, nullable=False),
    Column("volume_type", String(255), nullable=False),
    Column("availability_zone", String(255), nullable=False),
    Column("host_id", ForeignKey("hosts.id")),
    Column("bootable", Boolean, nullable=False, default=False),
    Column("image_id", String(36)),
    Column("image_metadata", Json, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "project_id", "created_at", "id"),
)

servers = Table(
    "servers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(32), nullable=False),
    Column("user_id", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("flavor_id", String(36), nullable=False),
    Column("image_id", String(36)),
    Column("key_name", String(255)),
    Column("host_id", ForeignKey("hosts.id")),
    Column("availability_zone", String(255), nullable=False, default=""),
    Column("vm_state", String(32), nullable=False),
    Column("task_state", String(32)),
    Column("power_state", Integer, nullable=False, default=0),
    Column("generation", Integer, nullable=False, default=0),
    Column("vcpus", Integer, nullable=False),
    Column("ram_mib", Integer, nullable=False),
    Column("root_gib", Integer, nullable=False),
    Column("ephemeral_gib", Integer, nullable=False, default=0),
    Column("config_drive", String(8), nullable=False, default=""),
    Column("metadata", Json, nullable=False),
    Column("image_metadata", Json, nullable=False),
    Column("reservation_id", String(32), nullable=False),
    Column("fault", Json),
    Column("resized", Json),  # the other size of a resize that is not yet confirmed
    Column("shelved", Json),  # where its parts are while it is shelved
    Column("rescued", Json),  # what it was before its rescue
    Column("locked_by", String(16)),  # owner or admin
    Column("intent", Json),  # what its domain is made from
    Column("sealed_guest", LargeBinary),  # what its guest is told in secret
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("launched_at", Instant),
    Column("terminated_at", Instant),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "host_id"),
    Index(None, "terminated_at"),
)

claims = Table(
    "claims",
    metadata,
    Column("server_id", ForeignKey("servers.id", ondelete="CASCADE"), primary_key=True),
    Column("host_id", ForeignKey("hosts.id"), nullable=False),
    Column("vcpus", Integer, nullable=False),
    Column("ram_mib", Integer, nullable=False),
    Column("disk_gib", Integer, nullable=False),
)

local_disks = Table(
    "local_disks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("server_id", ForeignKey("servers.id", ondelete="CASCADE"), nullable=False),
    Column("host_id", ForeignKey("hosts.id"), nullable=False),
    Column("device", String(16), nullable=False),
    Column("size_gib", Integer, nullable=False),
    Column("image_id", String(36)),
    Index(None, "server_id"),
)

volume_attachments = Table(
    "volume_attachments",
    metadata,
    Column("volume_id", ForeignKey("volumes.id"), primary_key=True),
    Column("server_id", ForeignKey("servers.id", ondelete="CASCADE"), nullable=False),
    Column("device", String(16), nullable=False),
    Column("boot_index", Integer),
    Column("delete_on_termination", Boolean, nullable=False, default=False),
    Column("attached_at", Instant, nullable=False),
    UniqueConstraint("server_id", "device"),
)

quotas = Table(
    "quotas",
    metadata,
    Column("project_id", String(32), primary_key=True),
    Column("limits", Json, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", String(32), primary_key=True),
    comment="A project's row in this region: the lock under which its quota is counted.",
)

server_events = Table(
    "server_events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("server_id", ForeignKey("servers.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("name", String(64), nullable=False),
    Column("detail", Json, nullable=False),
    Index(None, "server_id"),
)

deployment = Table(
    "deployment",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)
