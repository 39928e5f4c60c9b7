"""A timeline for each server; those that are there get its beginning."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _server_events()
    op.execute(
        "INSERT INTO server_events (server_id, at, name, detail) "
        "SELECT id, created_at, 'created', '{}' FROM servers WHERE vm_state <> 'building'"
    )


def downgrade() -> None:
    op.drop_table("server_events")


def _server_events() -> None:
    op.create_table(
        "server_events",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("server_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["server_id"],
            ["servers.id"],
            name=op.f("fk_server_events_server_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_events")),
    )
    op.create_index(
        op.f("ix_server_events_server_id"), "server_events", ["server_id"], unique=False
    )
