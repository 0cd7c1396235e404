"""Runs the steps in `versions/` on the connection that `alerts.ledger.migrate` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
