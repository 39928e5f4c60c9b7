"""The tables of identity: the one thing that regions share. Ids are 32 hexadecimal digits."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from hanok.store.columns import Instant
from hanok.store.region_metadata import metadata as region_metadata

metadata = MetaData(naming_convention=region_metadata.naming_convention)

projects = Table(
    "projects",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", String(255), nullable=False, default=""),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("created_at", Instant, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("description", String(255), nullable=False, default=""),
    Column("email", String(255), nullable=False, default=""),
    Column("default_project_id", ForeignKey("projects.id", ondelete="SET NULL")),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("created_at", Instant, nullable=False),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(32), primary_key=True),  # reader, member, admin
    Index(None, "project_id"),
)

# A token's roles are not kept: its check reads those that its user has at that moment.
tokens = Table(
    "tokens",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE")),
    Column("methods", String(64), nullable=False),  # password, token; with a comma between
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)
