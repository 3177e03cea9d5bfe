"""Cancelling a request over the hub: taken back unseen, or stopped at the agency, and never an answer lost."""

from datetime import timedelta

import pytest

from adapters.kit.refusal import Refused
from adapters.la.console.collation import Row, Status
from adapters.la.console.enquiry import Planned
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from schemas.content.notice import Cancellation
from tests.integration.commands.office import (
    CLERK,
    ENQUIRY,
    HOUSING,
    POLICE,
    PRACTITIONER,
    answered,
    collation_of,
    enquiry_of,
    issued,
    kept,
    ledger_of,
    opened,
    received,
    rfi_of,
    state_of,
)

WHY = "the family has moved out of the area"


async def row_of(area: Area, participant: str) -> Row:
    """Give a participant's line of the collation."""
    return next(row for row in (await collation_of(area)).rows if row.participant == participant)


async def clocks_that_ring(area: Area, participant: str) -> list[str]:
    """Let an adapter's timekeeper look, and give the codes of every alarm of a clock that stands."""
    adapter = area.adapters[participant]
    await adapter.timekeeper().run_once()
    async with adapter.store.snapshot() as view:
        return sorted(alarm.code for alarm in await view.alarms() if alarm.alarm_id.startswith("clock/"))


async def cancelled(area: Area, participant: str) -> None:
    """Cancel, and let it arrive."""
    await area.console.cancelling.cancel(ENQUIRY, participant, WHY, user=CLERK)
    await area.settle()


async def test_a_request_that_is_cancelled_while_it_is_held_never_leaves(area: Area) -> None:
    """Before release: recall. The other one, held as long, leaves in its time."""
    await opened(area, HOUSING, POLICE)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER, hold_for=timedelta(minutes=10))
    await area.settle()
    assert await area.adapters[HOUSING].desk.list() == ()

    await cancelled(area, HOUSING)
    area.time += timedelta(minutes=11)
    await area.settle()

    assert await area.adapters[HOUSING].desk.list() == ()
    assert len(await area.adapters[POLICE].desk.list()) == 1
    (to_housing,) = [one for one in (await enquiry_of(area)).issued if one.participant == HOUSING]
    assert to_housing.cancelled is not None
    assert to_housing.cancelled.recalled
    assert await state_of(area, COUNCIL, to_housing.message) == "CANCELLED"
    assert [entry["recalled"] for entry in await ledger_of(area.adapters[COUNCIL], "request cancelled")] == ["true"]


async def test_a_held_request_is_answered_like_any_other_once_it_has_left(area: Area) -> None:
    """What follows it in its thread names the id that it got at its release."""
    await opened(area, HOUSING)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER, hold_for=timedelta(minutes=10))
    area.time += timedelta(minutes=11)
    await area.settle()
    await answered(area, HOUSING)
    await area.console.coordinator.rerate(ENQUIRY, "RED", "worse", user=MANAGER)
    await area.settle()

    assert (await row_of(area, HOUSING)).status is Status.ANSWERED


async def test_an_agency_stops_when_a_request_that_it_has_is_cancelled(area: Area) -> None:
    """After release: a notice. Its desk says so, refuses more work, owes nothing and sends nothing."""
    await issued(area, HOUSING)
    rfi = await rfi_of(area, HOUSING)
    desk = area.adapters[HOUSING].desk
    await desk.propose(rfi, user=PRACTITIONER[HOUSING])

    await cancelled(area, HOUSING)

    (file,) = await desk.list()
    assert file.state == "cancelled"
    assert file.cancellation is not None
    assert file.cancellation.reason == WHY
    for work in (
        desk.propose(rfi, user=PRACTITIONER[HOUSING]),
        desk.send(rfi, user=PRACTITIONER[HOUSING]),
        desk.ask_source(rfi, "housing register", user=PRACTITIONER[HOUSING]),
    ):
        with pytest.raises(Refused, match="cancelled"):
            await work


async def test_the_clock_of_a_cancelled_request_stops(area: Area) -> None:
    """Days later nothing is overdue, nobody owes, no call waits, and the decision misses nobody."""
    await issued(area, HOUSING, rag="RED")
    await cancelled(area, HOUSING)
    area.time += timedelta(days=9)

    row = await row_of(area, HOUSING)
    assert (row.status, row.overdue, row.late, row.owed) == (Status.CANCELLED, False, False, ())
    counters = (await collation_of(area)).counters
    assert (counters.rfi_breaches, counters.phone_prompts_open) == (0, 0)
    (line,) = await area.console.answers.standing(user=MANAGER)
    assert (line.owing, line.next_due_at, line.calls_to_make) == ((), None, 0)
    decided = await area.console.decision_maker.decide(
        ENQUIRY, outcome="early_help", level_of_need="2", rationale="as known", next_step="early help", user=MANAGER
    )
    assert decided.decided is not None
    assert decided.decided.not_seen == ()
    await area.settle()
    assert (await area.adapters[HOUSING].desk.list())[0].outcome is None
    area.time += timedelta(days=9)
    assert await clocks_that_ring(area, COUNCIL) == ["referrer"]
    assert await clocks_that_ring(area, HOUSING) == []


async def test_an_answer_that_crosses_the_cancellation_is_filed(area: Area) -> None:
    """Nothing that an agency has said is thrown away (RSP-14); the agency's file says that it was answered."""
    await issued(area, HOUSING)
    rfi = await rfi_of(area, HOUSING)
    await area.console.cancelling.cancel(ENQUIRY, HOUSING, WHY, user=CLERK)
    await answered(area, HOUSING, rfi=rfi)

    row = await row_of(area, HOUSING)
    assert (row.status, row.items > 0) == (Status.ANSWERED, True)
    (file,) = await area.adapters[HOUSING].desk.list()
    assert (file.state, file.cancellation is not None) == ("answered", True)


async def test_an_agency_that_was_cancelled_can_be_asked_anew(area: Area) -> None:
    """A new request with a reference and a clock of its own; the cancelled one stays as it was."""
    await issued(area, HOUSING)
    await cancelled(area, HOUSING)
    plan = Planned(participant=HOUSING, rationale="known to them", public_task_statement=True)
    await area.console.coordinator.choose(ENQUIRY, plan, user=MANAGER)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER)
    await area.settle()

    states = {file.rfi.rfi: file.state for file in await area.adapters[HOUSING].desk.list()}
    assert sorted(states.values()) == ["cancelled", "received"]
    again = next(rfi for rfi, state in states.items() if state == "received")
    await answered(area, HOUSING, rfi=again)
    assert [row.status for row in (await collation_of(area)).rows] == [Status.CANCELLED, Status.ANSWERED]


async def test_nothing_overtakes_a_request_that_is_held_back(area: Area) -> None:
    """A re-rating of something that nobody has received would be about nothing."""
    await opened(area, HOUSING)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER, hold_for=timedelta(minutes=10))
    with pytest.raises(Refused, match="still held back"):
        await area.console.coordinator.rerate(ENQUIRY, "RED", "worse", user=MANAGER)


@pytest.mark.parametrize(
    ("participant", "reason", "said"),
    [(HOUSING, "  ", "say why"), (POLICE, WHY, "nothing that was asked"), ("nobody-there", WHY, "nothing that")],
)
async def test_a_cancellation_without_reason_or_request_changes_nothing(
    area: Area, participant: str, reason: str, said: str
) -> None:
    """The plain no's of the command."""
    await issued(area, HOUSING)
    before = await kept(area.adapters[COUNCIL])
    with pytest.raises(Refused, match=said):
        await area.console.cancelling.cancel(ENQUIRY, participant, reason, user=CLERK)
    assert await kept(area.adapters[COUNCIL]) == before


async def test_what_has_been_answered_or_cancelled_cannot_be_cancelled(area: Area) -> None:
    """A second notice would say nothing new."""
    await issued(area, HOUSING, POLICE)
    await answered(area, HOUSING)
    await cancelled(area, POLICE)
    for participant in (HOUSING, POLICE):
        with pytest.raises(Refused):
            await area.console.cancelling.cancel(ENQUIRY, participant, WHY, user=CLERK)


async def test_only_who_asked_can_cancel_a_request(area: Area) -> None:
    """The attack: a participant stops the work on somebody else's question."""
    await issued(area, HOUSING)
    rfi = await rfi_of(area, HOUSING)
    forged = Cancellation(enquiry=ENQUIRY, rfi=rfi, reason=WHY, cancelled_at=area.time)
    housing = area.adapters[HOUSING]
    async with housing.store.transaction() as tx:
        verdict = await housing.apply(tx, received(forged, sender=POLICE, now=area.time))

    assert verdict is not None
    assert verdict.code == "E25"
    (file,) = await housing.desk.list()
    assert file.state == "received"
