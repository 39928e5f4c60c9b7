"""Alembic's entry: run on the connection that `store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from hanok.store.identity_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
