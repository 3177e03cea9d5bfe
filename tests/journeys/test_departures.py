"""An agency leaves, or is out for a while, in the middle of an enquiry: everybody in flight with it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.kit.delivery.states import OUTBOX_AT_REST, OutboxState
from adapters.kit.refusal import Refused
from adapters.kit.running.adapter import Adapter
from adapters.kit.store.tables import outbox_rows
from adapters.la.console.collation import Row, Status
from adapters.la.console.enquiry import Planned
from adapters.la.console.form import load_form
from broker.embedded import EmbeddedHub
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import FORM, Area, make_homes, topology_of
from schemas import base64url
from schemas.directory import Directory, Past

START = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
HOUSING, PROBATION = "testford-housing", "testford-probation"
REFERENCE = "ENQ-1"


@asynccontextmanager
async def area(folder: Path) -> AsyncIterator[Area]:
    directory = make_homes(folder, hub="embedded:../hub.db", now=START)
    async with EmbeddedHub(topology_of(directory)) as hub, Area.opened(folder, directory, hub, start=START) as opened:
        desk = opened.console.coordinator
        await desk.new(REFERENCE, load_form(FORM), user=MANAGER)
        for planned in (
            Planned(participant=HOUSING, rationale="council tenancy", public_task_statement=True),
            Planned(
                participant=PROBATION,
                rationale="reason to believe that Dean is supervised",
                belief_of_involvement="the school heard of a probation officer",
            ),
        ):
            await desk.choose(REFERENCE, planned, user=MANAGER)
        await desk.rate(REFERENCE, "AMBER", "reported by the school", user=MANAGER)
        yield opened


def without(directory: Directory, name: str, *, at: datetime) -> Directory:
    """The directory after `name` has left."""
    pairs = [pair for ends, pair in directory.pairs.items() if name not in ends]
    moment = int(at.timestamp())
    before = Past(version=directory.version, digest=base64url.encode(directory.hash), superseded_at=moment)
    return Directory.build(2, directory.records.values(), pairs, left={name: moment}, history=[before])


async def tell(opened: Area, name: str) -> int:
    """Let one adapter look at its directory."""
    ended: int = await opened.adapters[name].departures.tell()
    return ended


async def rows(opened: Area) -> dict[str, Row]:
    collation = await opened.console.answers.collation(REFERENCE, user=MANAGER)
    return {row.participant: row for row in collation.rows}


async def alarms(adapter: Adapter) -> list[str]:
    async with adapter.store.snapshot() as view:
        return [alarm.code for alarm in await view.alarms()]


async def restless(adapter: Adapter, recipient: str) -> set[str]:
    """States of what waits for a recipient."""
    async with adapter.store.snapshot() as view:
        found = await view.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.recipient == recipient))
    return {row["state"] for row in found} - {state.value for state in OUTBOX_AT_REST}


async def test_a_request_to_an_agency_that_has_left_is_shown_as_such_and_owes_nothing_any_more(tmp_path: Path) -> None:
    """GOV-10: the coordinator is told, its clock ends, nothing is sent to it any more; a neighbour goes on owing."""
    async with area(tmp_path) as opened:
        desk, council = opened.console.coordinator, opened.adapters[COUNCIL]
        await desk.issue(REFERENCE, user=MANAGER)
        await opened.settle()
        opened.directory = without(opened.directory, HOUSING, at=opened.time)
        assert await tell(opened, COUNCIL) == 1
        shown = await rows(opened)
        assert (shown[HOUSING].status, shown[PROBATION].status) == (Status.PARTICIPANT_LEFT, Status.RECEIVED)
        opened.time += timedelta(days=30)
        late = await rows(opened)
        assert (late[HOUSING].overdue, late[PROBATION].overdue) == (False, True)
        (standing,) = await opened.console.answers.standing(user=MANAGER)
        assert standing.owing == (PROBATION,)
        assert (await alarms(council)).count("participant-left") == 1
        assert await restless(council, HOUSING) == set()
        assert await tell(opened, COUNCIL) == 0


async def test_what_had_not_left_yet_for_an_agency_that_has_left_never_leaves(tmp_path: Path) -> None:
    """The request waits in the outbox when the directory changes: it comes to rest there, with its reason."""
    async with area(tmp_path) as opened:
        await opened.console.coordinator.issue(REFERENCE, user=MANAGER)
        opened.directory = without(opened.directory, HOUSING, at=opened.time)
        assert await tell(opened, COUNCIL) == 1
        await opened.settle()
        async with opened.adapters[HOUSING].store.snapshot() as view:
            assert await view.list("rfi") == []
        assert (await rows(opened))[HOUSING].status is Status.PARTICIPANT_LEFT


async def test_the_desk_of_an_agency_that_was_asked_by_a_leaver_stops_work(tmp_path: Path) -> None:
    """There is nobody to answer: the request says why it is over, and an answer to it is refused."""
    async with area(tmp_path) as opened:
        await opened.console.coordinator.issue(REFERENCE, user=MANAGER)
        await opened.settle()
        housing = opened.adapters[HOUSING]
        (file,) = await housing.desk.list()
        opened.directory = without(opened.directory, COUNCIL, at=opened.time)
        assert await tell(opened, HOUSING) == 1
        (after,) = await housing.desk.list()
        assert (after.state, after.history[-1].what) == ("cancelled", "participant_left")
        with pytest.raises(Refused):
            await housing.desk.propose(file.rfi.rfi or "", user=opened.first_user(HOUSING))
        assert "participant-left" in await alarms(housing)


async def test_an_answer_that_came_before_the_agency_left_stays(tmp_path: Path) -> None:
    """GOV-11: what a party has given may be kept; only what is owed ends."""
    async with area(tmp_path) as opened:
        await opened.console.coordinator.issue(REFERENCE, user=MANAGER)
        await opened.settle()
        before = await rows(opened)
        opened.directory = without(opened.directory, PROBATION, at=opened.time)
        await tell(opened, COUNCIL)
        assert (await rows(opened))[HOUSING] == before[HOUSING]


async def test_what_was_returned_while_a_partner_was_suspended_is_sent_when_it_is_back(tmp_path: Path) -> None:
    """A returned request waits, and is not forgotten: after the reinstatement it goes out by itself."""
    async with area(tmp_path) as opened:
        council = opened.adapters[COUNCIL]
        await opened.console.coordinator.issue(REFERENCE, user=MANAGER)
        async with council.store.transaction() as tx:
            for row in await tx.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.recipient == HOUSING)):
                await tx.change(outbox_rows, row, state=OutboxState.RETURNED.value, due_at=None)
        whole = opened.directory
        opened.directory = Directory.build(2, whole.records.values(), whole.pairs.values(), suspended=[HOUSING])
        await tell(opened, COUNCIL)
        assert (await rows(opened))[HOUSING].status is Status.SENT
        opened.directory = whole
        await tell(opened, COUNCIL)
        await opened.settle()
        assert (await rows(opened))[HOUSING].status is Status.RECEIVED
