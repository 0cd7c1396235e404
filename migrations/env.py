"""Runs the steps in `versions/` on the connection that `alerts.ledger.migrate` hands over."""

from alembic import context

from alerts.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
with context.begin_transaction():
    context.run_migrations()
