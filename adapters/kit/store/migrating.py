"""Bring a store to the schema of this program: alembic, in one transaction, on both databases.

A migration that is interrupted leaves the old schema whole (C43). A store that a newer program wrote is not touched.
"""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.kit.delivery.failpoints import reach
from adapters.kit.store.engine import faults
from adapters.kit.store.errors import NewerStore, StoreDamaged

_SCRIPTS: Final = Path(__file__).parent / "migrations"


async def bring_up_to_date(engine: AsyncEngine, *, allowed: bool) -> None:
    """Migrate to the newest schema; raises NewerStore, and StoreDamaged if it is needed but not `allowed`."""
    async with faults(), engine.begin() as connection:
        await connection.run_sync(_upgrade, allowed)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """Return the newest revision and all that this program knows; the files do not change while it runs."""
    scripts = ScriptDirectory.from_config(_config())
    return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


def _upgrade(connection: Connection, allowed: bool) -> None:
    here = MigrationContext.configure(connection).get_current_revision()
    newest, known = _revisions()
    if here == newest:
        return
    if here is not None and here not in known:
        raise NewerStore
    if not allowed:
        raise StoreDamaged("it has not been set up by an adapter yet")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    reach("C43")
