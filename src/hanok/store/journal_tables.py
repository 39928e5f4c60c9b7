"""The tables of the durable engine: operations, their steps, and who waits for what."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from hanok.store.columns import Instant, Json, Serial
from hanok.store.region_metadata import metadata

operations = Table(
    "operations",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),  # name@version
    Column(
        "state", String(16), nullable=False
    ),  # queued running unwinding done undone stuck resuming
    Column("project_id", String(32), nullable=False),
    Column("server_id", String(36)),
    Column("args", Json, nullable=False),
    Column("subjects", Json, nullable=False),
    Column("secrets", LargeBinary),
    Column("position", Integer, nullable=False, default=0),
    Column("place", String(36), nullable=False),  # control, or a host's id
    Column("run_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("cancel", Boolean, nullable=False, default=False),
    Column("owner", String(36)),
    Column("epoch", Integer, nullable=False, default=0),
    Column("error", Json),
    Column("submitted_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "ix_operations_runnable",
        "run_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(None, "server_id"),
    sqlite_autoincrement=True,
)

operation_steps = Table(
    "operation_steps",
    metadata,
    Column("operation_id", String(36), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("args", Json, nullable=False),
    Column("state", String(16), nullable=False),  # pending done undone undo_failed
    Column("place", String(36), nullable=False, default="control"),
    Column("call", Json),
    Column("sealed_call", LargeBinary),
    Column("result", Json),
    Column("error", Text),
    Column("started_at", Instant),
    Column("ended_at", Instant),
)

operation_subjects = Table(
    "operation_subjects",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("seq", Serial, primary_key=True, autoincrement=False),
    Column("held", Boolean, nullable=False, default=False),
    Index(None, "seq"),
    Index(
        "uq_operation_subjects_held",
        "subject",
        unique=True,
        sqlite_where=text("held"),
        postgresql_where=text("held"),
    ),
    comment="Rows of unfinished operations only: who waits for what, in order.",
)

incarnations = Table(
    "incarnations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("lock_key", Serial, nullable=False),
    Column("started_at", Instant, nullable=False),
)
