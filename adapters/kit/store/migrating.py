"""Bring a store to the schema of this program: alembic, in one transaction, on both databases.

A migration that is interrupted leaves the old schema whole (C43). A store that a newer program wrote is not touched.
The migrations are files `v<revision>_<what>.py` in a row without branches, so a store that is up to date is recognised
by their names; alembic, half a second of every command's start, is imported only when there is something to do.
"""

from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.kit.failpoints import reach
from adapters.kit.store.engine import faults
from adapters.kit.store.errors import NewerStore, NotSetUp, NotUpToDate

_SCRIPTS: Final = Path(__file__).parent / "migrations"


async def bring_up_to_date(engine: AsyncEngine, *, allowed: bool) -> None:
    """Migrate to the newest schema; raises NewerStore, and NotSetUp or NotUpToDate where not `allowed`."""
    async with faults(), engine.begin() as connection:
        await connection.run_sync(_upgrade, allowed)


@cache
def known_revisions() -> tuple[str, ...]:
    """Give the revisions that this program knows, oldest first; the files do not change while it runs."""
    return tuple(sorted(file.stem[1:].partition("_")[0] for file in (_SCRIPTS / "versions").glob("v*.py")))


def _upgrade(connection: Connection, allowed: bool) -> None:
    here = _revision_of(connection)
    if here == known_revisions()[-1]:
        return
    if here is not None and here not in known_revisions():
        raise NewerStore
    if not allowed:
        raise NotSetUp if here is None else NotUpToDate
    _migrate(connection)
    reach("C43")


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
