"""The watch on a sandbox: what agencies do there, the hub sees as it does in production."""

import asyncio
from pathlib import Path

from adapters.kit.running.adapter import Adapter
from adapters.kit.running.connecting import connection_of
from adapters.kit.running.partners import partners_of
from adapters.kit.running.settings import load_settings
from adapters.la.console.enquiry import Planned
from adapters.la.console.form import load_form
from adapters.la.console.office import console_of
from broker.alerts import AlertKind
from broker.watch.directory import read_exported
from broker.watch.program import WatchOptions, opened
from deploy.demo.agencies import AGENCIES, COUNCIL, MANAGER
from deploy.demo.area import FORM
from deploy.demo.sandbox import make_sandbox

ASKED = "testford-housing"


async def ask(folder: Path) -> None:
    """Ask housing, as the sandbox's own instructions do, and send what is waiting."""
    settings = load_settings(folder / COUNCIL)
    partners = partners_of(settings)
    async with (
        Adapter.opened(settings, directory=partners.current, exclusive=True) as adapter,
        connection_of(settings, partners.current()) as connection,
    ):
        console = console_of(adapter)
        assert console is not None
        desk = console.coordinator
        await desk.new("ENQ-1", load_form(FORM), user=MANAGER)
        planned = Planned(participant=ASKED, rationale="council tenancy", public_task_statement=True)
        await desk.choose("ENQ-1", planned, user=MANAGER)
        await desk.rate("ENQ-1", "AMBER", "neglect reported by the school", user=MANAGER)
        await desk.issue("ENQ-1", user=MANAGER)
        await adapter.linked(connection, partners).run_once(quiet_for=0.2)


async def test_the_watch_follows_a_request_of_a_sandbox(tmp_path: Path) -> None:
    """What was asked before the watch began lies on the tap, and every agency has a number to ring (GOV-05)."""
    await asyncio.to_thread(make_sandbox, tmp_path)
    await ask(tmp_path)
    options = WatchOptions(f"embedded:{tmp_path / 'hub.db'}", tmp_path / "directory.json", str(tmp_path / "ledger.db"))
    async with opened(options) as watch:
        alerts = await watch.round()
        while not watch.standings:
            await asyncio.sleep(0.5)  # rounds without a pause would keep the intake from the ledger
            alerts = await watch.round()
    assert [(one.requester, one.responder) for one in watch.standings] == [(COUNCIL, ASKED)]
    assert AlertKind.NO_DUTY_CONTACT not in {alert.kind for alert in alerts}


async def test_every_agency_of_the_sandbox_publishes_its_duty_telephone(tmp_path: Path) -> None:
    """GOV-05: an alert that names nobody to ring wakes nobody."""
    await asyncio.to_thread(make_sandbox, tmp_path)
    records = read_exported(tmp_path / "directory.json").records
    assert {name: record.duty_telephone for name, record in records.items()} == {
        agency.participant: agency.telephone for agency in AGENCIES
    }
