"""The clocks of an enquiry at the requester: rows that fire once, when they are due, and ring for whoever is to act."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from adapters.kit.running.timekeeper import Timekeeper
from adapters.kit.store.alarms import Alarm, Priority
from adapters.kit.store.tables import timer
from adapters.kit.store.timers import Timer
from adapters.kit.store.transaction import Transaction
from broker.calendar import LONDON
from broker.timers import Reading
from broker.watch.clock import TrustedClock
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from deploy.demo.scenario import at
from tests.integration.commands.office import (
    ENQUIRY,
    HOUSING,
    POLICE,
    answered,
    enquiry_of,
    issued,
    opened,
    rfi_of,
)
from tests.support.stations import FakeClock

DECISION = {
    "outcome": "no_further_action",
    "level_of_need": "1",
    "rationale": "nothing known",
    "next_step": "close",
    "user": MANAGER,
}


async def alarms_of(area: Area, participant: str = COUNCIL) -> list[Alarm]:
    """Give the alarms that stand at an adapter."""
    async with area.adapters[participant].store.snapshot() as view:
        return await view.alarms()


async def rung(area: Area, *, when: datetime, participant: str = COUNCIL) -> list[str]:
    """Let it be `when`, let the timekeeper look, and give the codes of every alarm of a clock that stands."""
    area.time = when
    await area.adapters[participant].timekeeper(lambda: when).run_once()
    return sorted(alarm.code for alarm in await alarms_of(area, participant) if alarm.alarm_id.startswith("clock/"))


async def rows(area: Area, participant: str = COUNCIL) -> Sequence[tuple[str, str]]:
    """Give every row that waits: which clock, and when it is due by London's clock."""
    async with area.adapters[participant].store.snapshot() as view:
        found = await view.select(timer, select(timer).where(timer.c.fired_at.is_(None)).order_by(timer.c.due_at))
    own = [row for row in found if row["kind"].startswith(("clock.", "desk."))]
    return [(row["ref"].rsplit("/", 1)[-1], row["due_at"].astimezone(LONDON).strftime("%d %H:%M")) for row in own]


async def due_of(area: Area, key: str) -> datetime:
    """Give when a row of the council's is due, exactly."""
    async with area.adapters[COUNCIL].store.snapshot() as view:
        (row,) = await view.select(timer, select(timer).where(timer.c.ref.endswith(key)))
    due: datetime = row["due_at"]
    return due


async def test_issuing_writes_a_row_for_every_clock_of_a_request(area: Area) -> None:
    """AMBER on Tuesday at 10:12: seen and telephoned by 12:12, half at 14:12, four fifths, due, a quarter over.

    And one for the enquiry itself, which is to be decided within a working day of its opening.
    """
    await issued(area, POLICE)
    assert await rows(area) == [
        ("human_ack.1", "24 12:12"),
        ("phone_call.1", "24 12:12"),
        ("nudge.1", "24 14:12"),
        ("warning.1", "24 16:36"),
        (ENQUIRY, "25 10:12"),
        ("breach.1", "25 10:12"),
        ("escalation.1", "25 12:12"),
    ]


async def test_a_clock_rings_when_it_is_due_and_not_a_second_before(area: Area) -> None:
    """And once, however often the timekeeper looks."""
    await issued(area, POLICE)
    due = await due_of(area, "phone_call.1")
    assert await rung(area, when=due - timedelta(microseconds=1)) == []
    assert await rung(area, when=due) == ["human_ack", "phone_call"]
    assert await rung(area, when=due + timedelta(minutes=1)) == ["human_ack", "phone_call"]
    calls = {alarm.code: alarm.refs["call"] for alarm in await alarms_of(area)}
    assert calls == {"human_ack": "contact_officer coordinator", "phone_call": "coordinator"}


async def test_what_fell_due_while_the_adapter_slept_rings_at_its_start(area: Area) -> None:
    """Down from Tuesday to Thursday: every rung of the ladder is there, each once."""
    await issued(area, POLICE)
    expected = ["breach", "decision", "escalation", "human_ack", "nudge", "phone_call", "warning"]
    assert await rung(area, when=at(26, 9, 0)) == expected
    assert await rung(area, when=at(26, 9, 1)) == expected


async def test_an_answer_in_time_rings_for_nobody(area: Area) -> None:
    """The rows lapse by themselves; what rang before the answer is cleared when somebody looks again."""
    await issued(area, POLICE)
    assert await rung(area, when=at(24, 12, 20)) == ["human_ack", "phone_call"]
    await answered(area, POLICE)
    assert await rung(area, when=at(25, 12, 30)) == ["decision"]


async def test_a_call_that_was_made_does_not_ring(area: Area) -> None:
    """SLA-02: the prompt is done when its outcome is written down."""
    await issued(area, POLICE)
    await area.console.coordinator.record_call(ENQUIRY, POLICE, "sergeant reached", user=MANAGER)
    assert await rung(area, when=at(24, 12, 13)) == ["human_ack"]


async def test_a_new_rating_rings_by_the_new_clock_and_the_old_rows_stay_silent(area: Area) -> None:
    """RED at 14:20: due at 18:20, the old half-way mark of AMBER rings for nobody."""
    await issued(area, POLICE)
    await rung(area, when=at(24, 12, 13))
    area.time = at(24, 14, 0)
    await area.console.coordinator.rerate(ENQUIRY, "RED", "more is known", user=MANAGER)
    waiting = await rows(area)
    assert ("phone_call.2", "24 14:30") in waiting
    assert ("breach.2", "24 18:00") in waiting
    assert await rung(area, when=at(24, 14, 13)) == []  # what rang at 12:12 was about the old due time
    assert await rung(area, when=at(24, 14, 31)) == ["human_ack", "phone_call"]
    assert {alarm.priority for alarm in await alarms_of(area)} == {Priority.P1}


async def test_the_referrers_clock_runs_until_somebody_says_that_they_were_told(area: Area) -> None:
    """SLA-04: below the threshold one working day from the decision."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    area.time = at(24, 15, 0)
    await area.console.decision_maker.decide(ENQUIRY, **DECISION)
    await area.settle()
    assert await rung(area, when=at(25, 15, 1)) == ["referrer"]
    await area.console.decision_maker.referrer_told(ENQUIRY, "telephone", user=MANAGER)
    assert await rung(area, when=at(25, 15, 3)) == []
    assert (await enquiry_of(area)).history[-1].what == "referrer told by telephone"


async def test_an_outcome_that_did_not_arrive_rings_after_three_working_days(area: Area) -> None:
    """SLA-03: the notice lies in the outbox; once it has arrived the alarm is over."""
    await issued(area, POLICE, HOUSING)
    await answered(area, POLICE)
    area.time = at(24, 15, 0)
    await area.console.decision_maker.decide(ENQUIRY, **DECISION)
    await area.console.decision_maker.referrer_told(ENQUIRY, "letter", user=MANAGER)
    assert "outcome" not in await rung(area, when=at(27, 14, 59))
    assert "outcome" in await rung(area, when=at(27, 15, 1))
    (alarm,) = [one for one in await alarms_of(area) if one.code == "outcome"]
    assert alarm.refs["to"] == f"{HOUSING} {POLICE}"
    await area.settle()
    assert "outcome" not in await rung(area, when=at(27, 15, 4))


async def test_no_alarm_of_a_clock_says_anything_about_a_person(area: Area) -> None:
    """The attack: an alarm that is read out on the corridor."""
    await issued(area, POLICE, HOUSING, rag="RED")
    await rung(area, when=at(30, 9, 0))
    told = repr(await alarms_of(area)) + repr(await rows(area))
    assert "escalation" in told
    assert not any(word in told for word in ("Ashgrove", "Tilly", "Carys", "Holloway", "Example Row", "999 010"))


async def test_a_row_that_cannot_be_fired_holds_no_other_up_and_comes_again(area: Area) -> None:
    """The attack: one broken row, and every clock behind it silent."""
    store = area.adapters[COUNCIL].store
    done: list[str] = []

    async def handler(tx: Transaction, row: Timer) -> None:
        if row.ref == "broken" and len(done) < 2:
            raise KeyError("a name")
        done.append(row.ref)

    async with store.transaction() as tx:
        for number, ref in enumerate(("broken", "second", "third")):
            await tx.add_timer("test.kind", ref, at(24, 11, number))
    clock = FakeClock(at(24, 11, 30))
    keeper = Timekeeper(store, {"test.kind": handler}, clock=clock)
    assert await keeper.run_once() == 2
    assert done == ["second", "third"]
    clock.pass_(seconds=4)
    assert await keeper.run_once() == 0
    clock.pass_(seconds=1)
    assert await keeper.run_once() == 1


async def test_a_timer_that_nobody_handles_is_an_alarm_and_not_a_silence(area: Area) -> None:
    """A row of a version to come, or of one that is gone."""
    async with area.adapters[COUNCIL].store.transaction() as tx:
        await tx.add_timer("future.kind", "ENQ-9", at(24, 11, 0))
    area.time = at(24, 11, 0)
    await area.adapters[COUNCIL].timekeeper().run_once()
    assert [alarm.code for alarm in await alarms_of(area)] == ["timer-unhandled"]


async def test_a_source_that_is_late_rings_at_the_conduit(area: Area) -> None:
    """FAN-04: an hour before the request's own due time; one that has answered rings for nobody."""
    await issued(area, HOUSING)
    desk, rfi = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING)
    await desk.ask_source(rfi, "repairs contractor", user="housing-lead")
    await desk.ask_source(rfi, "tenancy officer", user="housing-lead")
    await desk.source_answered(rfi, "tenancy officer", user="housing-lead")
    assert await rung(area, when=at(25, 9, 11), participant=HOUSING) == []
    assert await rung(area, when=at(25, 9, 13), participant=HOUSING) == ["source"]
    (alarm,) = await alarms_of(area, HOUSING)
    assert "contractor" not in repr(alarm)


async def test_an_enquiry_that_was_never_issued_has_only_to_be_decided(area: Area) -> None:
    """Nothing was asked, so nobody else is late."""
    await opened(area, POLICE)
    assert await rows(area) == [(ENQUIRY, "25 10:12")]


async def test_advice_that_does_not_come_rings_half_way_to_the_due_time(area: Area) -> None:
    """LAW-28: asked at once on Tuesday at 10:12, due on Wednesday at 10:12: half of the office day is at 14:12."""
    await issued(area, HOUSING)
    adapter, rfi = area.adapters[HOUSING], await rfi_of(area, HOUSING)
    await adapter.lawful.ask_advice(rfi, "dpo", user="housing-lead")
    assert await rung(area, when=at(24, 14, 10), participant=HOUSING) == []
    assert await rung(area, when=at(24, 14, 15), participant=HOUSING) == ["advice"]


async def test_a_request_that_was_cancelled_rings_for_nobody(area: Area) -> None:
    """Neither its own clocks nor, once decided, an outcome that nobody there is to be told."""
    await issued(area, POLICE, HOUSING)
    await area.console.cancelling.cancel(ENQUIRY, HOUSING, "asked by mistake", user=MANAGER)
    await answered(area, POLICE)
    area.time = at(24, 15, 0)
    await area.console.decision_maker.decide(ENQUIRY, **DECISION)
    await area.console.decision_maker.referrer_told(ENQUIRY, "letter", user=MANAGER)
    await area.settle()
    assert await rung(area, when=at(30, 9, 0)) == []


class Clocks:
    """A machine's two clocks, as a test moves them."""

    def __init__(self, now: datetime) -> None:
        self.wall, self.steady = now, 0.0

    def __call__(self) -> Reading:
        return Reading(self.wall, self.steady)

    def pass_(self, span: timedelta, *, wall: timedelta | None = None) -> None:
        """Let time pass; the wall clock is moved by `wall` if that is given."""
        self.steady += span.total_seconds()
        self.wall += span if wall is None else wall


async def test_a_wall_clock_put_forward_a_week_rings_nothing_early_and_is_an_alarm_of_its_own(area: Area) -> None:
    """The attack: somebody sets the server's clock, and every request of the county is overdue. Told once."""
    await issued(area, POLICE)
    clocks = Clocks(at(24, 10, 20))
    keeper = area.adapters[COUNCIL].timekeeper(TrustedClock(clocks))
    assert await keeper.run_once() == 0
    clocks.pass_(timedelta(seconds=1), wall=timedelta(days=7))
    await keeper.run_once()
    await keeper.run_once()
    assert [alarm.code for alarm in await alarms_of(area)] == ["clock-stepped"]
    clocks.pass_(timedelta(hours=2))
    await keeper.run_once()
    codes = {alarm.code for alarm in await alarms_of(area)}
    assert {"human_ack", "phone_call"} <= codes
    assert "nudge" not in codes


async def test_a_wall_clock_put_back_a_day_leaves_nothing_late(area: Area) -> None:
    """The steady clock goes on, so what is due after two hours rings after two hours."""
    await issued(area, POLICE)
    clocks = Clocks(at(24, 10, 20))
    keeper = area.adapters[COUNCIL].timekeeper(TrustedClock(clocks))
    await keeper.run_once()
    clocks.pass_(timedelta(hours=2), wall=timedelta(days=-1))
    await keeper.run_once()
    assert {"human_ack", "phone_call", "clock-stepped"} <= {alarm.code for alarm in await alarms_of(area)}
