"""What a server keeps while it is shelved, rescued or locked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("shelved", "rescued"):
        op.add_column("servers", sa.Column(name, sa.Text()))
    op.add_column("servers", sa.Column("locked_by", sa.String(length=16)))


def downgrade() -> None:
    for name in ("locked_by", "rescued", "shelved"):
        op.drop_column("servers", name)
