"""The clocks of what follows: a correction that waits to be seen, a question to an originator, an owed source."""

from datetime import timedelta

from deploy.demo.agencies import MANAGER
from deploy.demo.area import Area
from deploy.demo.scenario import at
from tests.integration.clocks.test_requester import rung
from tests.integration.commands.office import (
    ENQUIRY,
    HOUSING,
    JUDGEMENT,
    answered,
    approve_all,
    enquiry_of,
    issued,
    rfi_of,
    written_down,
)

USER = "housing-lead"


async def decided(area: Area) -> None:
    """Decide at 15:00 and tell the referrer, so that no clock of the enquiry's own rings."""
    area.time = at(24, 15, 0)
    decide, told = area.console.decision_maker.decide, area.console.decision_maker.referrer_told
    await decide(
        ENQUIRY, outcome="early_help", level_of_need="2", rationale="as found", next_step="offer help", user=MANAGER
    )
    await told(ENQUIRY, "letter", user=MANAGER)
    await area.settle()


async def test_a_correction_rings_for_every_audience_that_has_not_seen_it_after_a_working_day(area: Area) -> None:
    """RSP-13: corrected on Tuesday at 16:00; the team acknowledges on Wednesday after the bell."""
    await issued(area, HOUSING)
    await answered(area, HOUSING)
    await decided(area)
    area.time = at(24, 16, 0)
    desk, rfi = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING)
    await desk.summarise(rfi, "HOU-01", wording="August, not September", user=USER)
    await approve_all(area, HOUSING, rfi)
    await desk.correct(rfi, "HOU-01", wording="August, not September", what_was_wrong="the month", user=USER)
    await area.settle()
    (task,) = (await enquiry_of(area)).corrections
    assert await rung(area, when=task.due_at - timedelta(microseconds=1)) == []
    assert await rung(area, when=task.due_at) == ["correction"]
    await area.console.decision_maker.acknowledge_correction(ENQUIRY, task.item, task.audience, user=MANAGER)
    assert await rung(area, when=task.due_at + timedelta(minutes=2)) == []


async def test_a_question_to_an_originator_rings_until_it_is_answered(area: Area) -> None:
    """DIS-04: under AMBER a working day."""
    await issued(area, HOUSING)
    response = await answered(area, HOUSING)
    await decided(area)
    item = next(one.item for one in response.items if not one.marking.permits("family"))
    question = await area.console.onward.ask(ENQUIRY, item, "family", "they ask for it", user=MANAGER)
    await area.settle()
    assert await rung(area, when=question.due_at - timedelta(microseconds=1)) == []
    assert await rung(area, when=question.due_at) == ["onward"]
    adapter = area.adapters[HOUSING]
    lead = area.holder_of(HOUSING, adapter.pack.agency.safeguarding_lead)
    rfi = await rfi_of(area, HOUSING)
    await adapter.onward.answer(rfi, question.question, granted=False, valid_until=None, user=lead)
    await area.settle()
    assert await rung(area, when=question.due_at + timedelta(minutes=2)) == []


async def test_a_source_that_an_answer_names_as_owed_rings_when_its_own_time_is_over(area: Area) -> None:
    """FAN-04: a partial answer on time, and one source behind it that does not come; then it does."""
    await issued(area, HOUSING)
    desk, rfi = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING)
    await desk.ask_source(rfi, "repairs contractor", user=USER)
    await desk.propose(rfi, user=USER)
    await approve_all(area, HOUSING, rfi)
    await desk.judge(rfi, JUDGEMENT, user=USER)
    await written_down(area, HOUSING, rfi)
    response = await desk.send(rfi, user=USER)
    await area.settle()
    (owed,) = response.outstanding
    assert "source" not in await rung(area, when=owed.due_at - timedelta(microseconds=1))
    assert "source" in await rung(area, when=owed.due_at + timedelta(microseconds=1))
    await desk.source_answered(rfi, "repairs contractor", user=USER)
    await desk.send(rfi, user=USER)
    await area.settle()
    assert "source" not in await rung(area, when=owed.due_at + timedelta(minutes=2))
