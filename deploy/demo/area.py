"""Testfordshire on one machine: a home for every participant, keys, directory, records, and all adapters on one hub.

Synthetic from end to end. The time is set by whoever runs the scenario and flows on from there, so that nothing in the
product knows that it is played.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Self

import structlog

import adapters
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CredentialProtector
from adapters.kit.running.adapter import Adapter
from adapters.kit.running.link import Link, UnderWay
from adapters.kit.running.settings import load_settings
from adapters.la.console.office import Console, console_of
from adapters.la.ssd_database import load_folder
from broker.hub import Hub
from broker.topology import Topology
from deploy.demo.agencies import AGENCIES, COUNCIL, DemoAgency
from schemas.directory import AgencyRecord, Directory

HERE = Path(__file__).parent
FORM = HERE / "ashgrove.toml"
SAMPLES = Path(adapters.__file__).parent
KEYS_AHEAD = timedelta(days=7)
SETTLE_WITHIN = 60.0
PATIENCE = 5.0


class NotSettled(Exception):
    """Messages were still under way after a minute; the hub is down, or an adapter does not work its inbox."""

    def __init__(self, left: Sequence[UnderWay]) -> None:
        """Name what is left."""
        super().__init__(f"{self.__doc__} Left: {'; '.join(sorted({one.what for one in left})) or 'nothing, at last'}")


def make_homes(
    folder: Path, *, hub: str, now: datetime, agencies: Sequence[DemoAgency] = AGENCIES, ahead: timedelta = KEYS_AHEAD
) -> Directory:
    """Write the home of every participant below `folder` and give the directory of their public keys."""
    records = [_make_home(folder / agency.participant, agency, hub=hub, now=now, ahead=ahead) for agency in agencies]
    others = [agency.participant for agency in agencies if agency.participant != COUNCIL]
    pairs = [pair for other in others for pair in ((COUNCIL, other), (other, COUNCIL))]
    return Directory.build(1, records, pairs)


def topology_of(directory: Directory) -> Topology:
    """Give the hub's table for the pairs of a directory."""
    return Topology.build(sorted(directory.records), sorted(directory.pairs), monitor=False)


class Area:
    """All adapters of the area, at one time, on one hub."""

    def __init__(self, folder: Path, directory: Directory, *, start: datetime) -> None:
        self.folder = folder
        self.directory = directory
        self.adapters: dict[str, Adapter] = {}
        self._links: list[Link] = []
        self._base, self._mark = start, monotonic()

    @property
    def time(self) -> datetime:
        """The time in the area."""
        return self._base + timedelta(seconds=monotonic() - self._mark)

    @time.setter
    def time(self, moment: datetime) -> None:
        self._base, self._mark = max(moment, self.time), monotonic()

    @property
    def console(self) -> Console:
        """The coordinator's console of the council."""
        return self._console

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, directory: Directory, hub: Hub, *, start: datetime) -> AsyncIterator[Self]:
        """Open every adapter and connect it to the hub."""
        area = cls(folder, directory, start=start)
        async with AsyncExitStack() as stack:
            for participant in directory.records:
                await area._open(stack, participant, hub)
            yield area

    async def _open(self, stack: AsyncExitStack, participant: str, hub: Hub) -> None:
        settings = load_settings(self.folder / participant)
        adapter = await stack.enter_async_context(
            Adapter.opened(settings, directory=lambda: self.directory, clock=lambda: self.time, exclusive=True)
        )
        connection = await hub.connect(participant)
        stack.push_async_callback(connection.close)
        link = adapter.linked(connection)
        await link.listen()
        self.adapters[participant] = adapter
        self._links.append(link)
        if console := console_of(adapter):
            self._console = console

    async def settle(self) -> None:
        """Wait until nothing is under way: everything sent has been received and opened. Raises `NotSettled`.

        What nothing has been heard of is looked after when it is due by the scenario's own time, which then passes.
        """
        left: list[UnderWay] = []
        give_up, moved_at = monotonic() + SETTLE_WITHIN, monotonic()
        while monotonic() < give_up:
            done = sum([await link.step() for link in self._links])
            left = [] if done else [one for link in self._links for one in await link.under_way()]
            if not done and not left:
                return
            if done:
                moved_at = monotonic()
            elif monotonic() - moved_at > PATIENCE:
                self._let_time_pass(left)
                moved_at = monotonic()
            await asyncio.sleep(0 if done else 0.01)
        raise NotSettled(left)

    def _let_time_pass(self, left: Sequence[UnderWay]) -> None:
        first = min(left, key=lambda one: one.due_at)
        structlog.get_logger().warning("time passes", until=first.due_at, what=first.what)
        self.time = max(first.due_at, self.time + timedelta(seconds=1))

    def first_user(self, participant: str) -> str:
        """Give the participant's first user: the one who answers."""
        return next(iter(self.adapters[participant].settings.file.users))

    def holder_of(self, participant: str, role: str) -> str:
        """Give the user who holds a role; the first user where nobody does, and the product then refuses."""
        users = self.adapters[participant].settings.file.users
        return next((user for user, held in users.items() if role in held.roles), self.first_user(participant))

    def add_records(self, participant: str, sample: str) -> None:
        """Let new records appear in the agency's own system."""
        home = self.folder / participant / "records"
        shutil.copytree(SAMPLES / sample, home, dirs_exist_ok=True)


def _make_home(home: Path, agency: DemoAgency, *, hub: str, now: datetime, ahead: timedelta) -> AgencyRecord:
    home.mkdir(parents=True)
    credential = home / "credentials" / "mash-keyring"
    credential.parent.mkdir(mode=0o700)
    with os.fdopen(os.open(credential, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    protector = CredentialProtector(folder=credential.parent)
    keyring = Keyring.create(
        home / "keys",
        participant=agency.participant,
        protector=protector,
        now=now,
        kind=agency.kind,
        duty_telephone=agency.telephone,
    )
    keyring.rotate(now, ahead=int(ahead.total_seconds()))
    (home / "adapter.toml").write_text(_settings(agency, records=_records(home, agency), hub=hub), "utf-8")
    if agency.participant == COUNCIL:
        shutil.copy(HERE / "register.toml", home / "register.toml")
    return keyring.directory_record()


def _records(home: Path, agency: DemoAgency) -> str | None:
    if agency.records is None:
        return None
    shutil.copytree(SAMPLES / agency.records, home / "records")
    if agency.kind != "la":
        return "records"
    url = f"sqlite:///{home / 'records' / 'ssd.db'}"
    load_folder(SAMPLES / agency.records, url)
    return url


def _settings(agency: DemoAgency, *, records: str | None, hub: str) -> str:
    lines = [
        f'participant = "{agency.participant}"',
        f'kind = "{agency.kind}"',
        f'hub = "{hub}"',
        'directory = "../directory.json"',
        'credentials = "credentials"',
        *([f'records = "{records}"'] if records else []),
        *(['register_file = "register.toml"'] if agency.participant == COUNCIL else []),
        f'answers = {{ contact = "{agency.contact}", telephone = "{agency.telephone}" }}',
    ]
    lines += [
        "[lawful]",
        'consent_records_read_by = ["safeguarding_lead"]',
        'consent_records_kept = "as the record that it is about"',
        "[lawful.basis]",
        f'article_6 = "{agency.article_6}"',
        'article_9 = "g"',
        "schedule_1_condition = 18",
        'article_10 = "schedule_1_condition"',
        f'appropriate_policy_document = "{agency.participant}-apd-2026"',
    ]
    for user, held in agency.users.items():
        roles = ", ".join(f'"{role}"' for role in held.roles)
        lines += [f"[users.{user}]", f'name = "{held.name}"', f'job_title = "{held.job_title}"', f"roles = [{roles}]"]
        lines.append(f"trained_on = {datetime(2026, 9, 1, tzinfo=UTC):%Y-%m-%d}")
        lines.append(f'vetting = [{{ level = "DBS", until = {datetime(2029, 9, 1, tzinfo=UTC):%Y-%m-%d} }}]')
    return "\n".join(lines) + "\n"
