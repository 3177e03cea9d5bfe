"""Run by alembic: migrate over the connection that `migrating.py` holds, in its transaction."""

from alembic import context

from adapters.kit.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
