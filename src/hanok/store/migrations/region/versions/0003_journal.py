"""The journal of durable operations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _incarnations()
    _operation_steps()
    _operation_subjects()
    _operations()


def downgrade() -> None:
    op.drop_table("operations")
    op.drop_table("operation_subjects")
    op.drop_table("operation_steps")
    op.drop_table("incarnations")


def _incarnations() -> None:
    op.create_table(
        "incarnations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("lock_key", SERIAL, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incarnations")),
    )


def _operation_steps() -> None:
    op.create_table(
        "operation_steps",
        sa.Column("operation_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=36), nullable=False),
        sa.Column("call", sa.Text(), nullable=True),
        sa.Column("sealed_call", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("operation_id", "position", name=op.f("pk_operation_steps")),
    )


def _operation_subjects() -> None:
    op.create_table(
        "operation_subjects",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "seq", name=op.f("pk_operation_subjects")),
        comment="Rows of unfinished operations only: who waits for what, in order.",
    )
    op.create_index(op.f("ix_operation_subjects_seq"), "operation_subjects", ["seq"], unique=False)
    op.create_index(
        "uq_operation_subjects_held",
        "operation_subjects",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("project_id", sa.String(length=32), nullable=False),
        sa.Column("server_id", sa.String(length=36), nullable=True),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=36), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=36), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_operations")),
        sa.UniqueConstraint("id", name=op.f("uq_operations_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_operations_runnable",
        "operations",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_operations_server_id"), "operations", ["server_id"], unique=False)
