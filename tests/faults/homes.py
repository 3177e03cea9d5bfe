"""Homes of adapters to break, and the runbook's pages as a hand would follow them: every command as it stands there."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]  # ships no types

from adapters.kit.running.sandbox_directory import write_unsigned_directory
from deploy.demo.agencies import AGENCIES, COUNCIL, MANAGER
from deploy.demo.area import FORM, make_homes
from deploy.demo.sandbox import KEYS_AHEAD
from deploy.local.postgres import find_binaries
from tests.support.program import Said, mash

PAGES = Path(__file__).parents[2] / "deploy" / "runbook"
HOUSING = "testford-housing"
OF_THE_MACHINE = frozenset({"systemctl", "timedatectl", "df"})
OF_POSTGRESQL = frozenset({"psql", "pg_dump", "pg_restore", "createdb"})
ON_FILES = frozenset({"cp", "mv", "rm", "mkdir", "chmod"})
TO_DO, TO_KNOW = "What to do", "How you know that it worked"


def shown_on(page: str) -> list[str]:
    """Give the messages that a page is about."""
    return re.findall(r"^```text\n(.*?)\n```", _text(page), re.MULTILINE | re.DOTALL)


def commands_on(page: str, *parts: str) -> list[str]:
    """Give the commands of a page, or of some of its parts, in order."""
    wanted = [part for part in re.split(r"^## ", _text(page), flags=re.MULTILINE) if part.startswith(parts or "")]
    blocks = re.findall(r"^```sh\n(.*?)^```", "\n".join(wanted), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def _text(page: str) -> str:
    return (PAGES / f"{page}.md").read_text("utf-8")


def sql(url: str, *statements: str) -> list[Any]:
    """Run statements on a database with somebody else's hands; gives what the last one found."""

    async def run() -> list[Any]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            found: list[Any] = []
            for statement in statements:
                found = await connection.fetch(statement)
            return found
        finally:
            await connection.close()

    return asyncio.run(run())


@dataclass
class Home:
    """One adapter's home in a small area, with a backup of yesterday. `database`: its store is there, not in a file."""

    path: Path
    backup: Path
    database: str = field(default="", repr=False)
    words: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.path / "store.db"

    def mash(self, *arguments: str) -> Said:
        """Run `mash` in this home."""
        return mash(*arguments, home=self.path, user=MANAGER)

    def run_page(self, page: str, *parts: str, leave_out: Sequence[str] = ()) -> list[Said]:
        """Run every command of a page, in order; those of the machine are its operator's."""
        lines = [line for line in commands_on(page, *parts) if not any(word in line for word in leave_out)]
        return [said for line in lines if (said := self._run(line)) is not None]

    def use_database(self, url: str) -> None:
        """Name another database in adapter.toml, as an operator does."""
        settings = self.path / "adapter.toml"
        kept = [line for line in settings.read_text("utf-8").splitlines() if not line.startswith("store = ")]
        settings.write_text("\n".join([f'store = "{url}"', *kept]) + "\n", "utf-8")
        self.database = url

    def machine(self, *words: str) -> None:
        """Run one of PostgreSQL's programs on this home's database."""
        where = urlsplit(self.database)
        told = {"PGHOST": where.hostname, "PGPORT": str(where.port), "PGUSER": where.username}
        told |= {"PGPASSWORD": where.password, "PGDATABASE": where.path.strip("/")}
        subprocess.run(
            [str(find_binaries() / words[0]), *words[1:]],
            env={**os.environ, **{name: value or "" for name, value in told.items()}},
            check=True,
            capture_output=True,
        )

    def _run(self, line: str) -> Said | None:
        known = {"MASH_HOME": str(self.path), "BACKUP": str(self.backup), **self.words}
        words = [re.sub(r"\$(\w+)", lambda found: known.get(found[1], ""), word) for word in shlex.split(line)]
        if words[0] == "mash":
            said = self.mash(*words[1:])
            assert said.code == 0, said
            return said
        if words[0] in ON_FILES:
            subprocess.run(words, check=True)
        elif words[0] in OF_POSTGRESQL and self.database:
            self.machine(*words)
        else:
            assert words[0] in OF_THE_MACHINE | OF_POSTGRESQL, line
        return None


def sees(home: Home, page: str, *command: str) -> None:
    """Assert that a command is refused, in the words of the page and with its name."""
    said = home.mash(*command)
    assert said.code == 1, said
    assert any(one in said.err for one in shown_on(page)), said.err


def flip(path: Path, *, at: int) -> None:
    """Flip one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x10
    path.write_bytes(raw)


def make_area(folder: Path, *, database: str = "") -> Path:
    """Make a council, its store in a file or in a database, and a housing service; they have talked once."""
    agencies = [agency for agency in AGENCIES if agency.participant in (COUNCIL, HOUSING)]
    directory = make_homes(folder, hub="embedded:../hub.db", now=datetime.now(UTC), ahead=KEYS_AHEAD, agencies=agencies)
    write_unsigned_directory(folder / "directory.json", directory)
    if database:
        Home(folder / COUNCIL, folder).use_database(database)
    for participant in (COUNCIL, HOUSING):
        assert mash("store", "set-up", home=folder / participant).code == 0
    ask(folder, "ENQ-1")
    return folder


def ask(folder: Path, enquiry: str) -> None:
    """Let the council ask the housing service, and let it arrive."""
    council = folder / COUNCIL
    plan = ("--rationale", "council tenancy", "--public-task")
    for arguments in (
        ("enquiry", "new", enquiry, str(FORM)),
        ("enquiry", "choose", enquiry, HOUSING, *plan),
        ("enquiry", "rate", enquiry, "AMBER", "--rationale", "as reported"),
        ("enquiry", "issue", enquiry),
        ("run", "--once"),
    ):
        said = mash(*arguments, home=council, user=MANAGER)
        assert said.code == 0, said
    for home in (folder / HOUSING, council):
        assert mash("run", "--once", home=home).code == 0


def copied(area: Path, folder: Path, *, database: str = "") -> Home:
    """Copy an area, and back the council's home up as the runbook says."""
    copy, backup = folder / "area", folder / "backup"
    shutil.copytree(area, copy)
    one = Home(copy / COUNCIL, backup)
    backup.mkdir()
    if database:
        one.use_database(database)
    one.run_page("README", "Backups", leave_out=("mash store backup" if database else "pg_dump",))
    shutil.copytree(one.path / "keys", backup / "keys")
    shutil.copy(copy / "directory.json", backup)
    return one


def reconcile_by_telephone(home: Home) -> None:
    """Follow older-backup: the partner reads out how far it has counted, and the store sends again."""
    theirs = mash("store", "seen", home=home.path.parent / HOUSING).out
    found = re.search(rf"{COUNCIL} .* we have theirs up to (\d+)", theirs)
    assert found is not None, theirs
    home.words["THEY_HAVE"] = found[1]
    said = home.run_page("older-backup", leave_out=("send-again",))
    assert "store-is-older" in said[0].out
    assert any("It sends." in one.out for one in said)
    again = mash("store", "send-again", COUNCIL, "1", "5", home=home.path.parent / HOUSING, user="housing-lead")
    assert again.code == 0, again
