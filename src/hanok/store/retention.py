"""How long the journal is kept: an operation as long as its server's row, others as long as those.

What a host makes too late is traced by the journal (`store.leftovers`); that far back, it is named
to the operator and no longer removed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, exists, or_, select

from hanok.store.database import Reader, Transaction
from hanok.store.region_tables import operation_steps, operations, servers

MOST = 1000
"""Operations that go at one time; the transaction that removes them holds up every other."""

_kept_by_server = exists().where(servers.c.id == operations.c.server_id)
_old = (
    select(operations.c.id)
    .where(
        operations.c.ended_at < bindparam("before"),
        or_(
            and_(operations.c.server_id.is_(None), operations.c.state != "stuck"),
            and_(operations.c.server_id.is_not(None), ~_kept_by_server),
        ),
    )
    .order_by(operations.c.seq)
    .limit(MOST)
)


def old_operations(reader: Reader, before: int) -> list[str]:
    """Return operations that ended before a moment, whose servers have no row any more.

    Those that concern no server stay while they are stuck: an operator may resume them.
    """
    return [row.id for row in reader.rows(_old, {"before": before})]


def forget(tx: Transaction, operation_ids: Sequence[str]) -> None:
    """Remove ended operations with their steps."""
    tx.run(delete(operation_steps).where(operation_steps.c.operation_id.in_(operation_ids)))
    tx.run(delete(operations).where(operations.c.id.in_(operation_ids)))
