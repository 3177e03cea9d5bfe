"""Asking an originator whether somebody else may have an item: granted, ended, taken back, forged (DIS-04)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.desk.intake import tell
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.refusal import Refused
from adapters.la.console.enquiry import Planned
from adapters.la.console.form import load_form
from adapters.la.console.handover import items_for
from broker.embedded import EmbeddedHub
from deploy.demo.agencies import AGENCIES, ASKED, COUNCIL, MANAGER
from deploy.demo.area import FORM, Area, make_homes, topology_of
from deploy.demo.scenario import REFERENCE, STEPS, Ashgrove
from schemas.content.codes import Audience
from schemas.content.notice import OnwardAnswer

START = STEPS[0][0]
PROBATION = "testford-probation"
LEAD = "probation-lead"
RECEIVING = Audience.RECEIVING_SERVICE
THREE = [agency for agency in AGENCIES if agency.participant in (COUNCIL, PROBATION, "testford-housing")]


@pytest.fixture
async def area(tmp_path: Path) -> AsyncIterator[Area]:
    """Probation has answered; none of its items may go to the receiving service."""
    directory = make_homes(tmp_path, hub="embedded:hub.db", now=START, agencies=THREE)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(EmbeddedHub(topology_of(directory)))
        area = await stack.enter_async_context(Area.opened(tmp_path, directory, hub, start=START))
        coordinator = area.console.coordinator
        await coordinator.new(REFERENCE, load_form(FORM), user=MANAGER)
        for participant in (PROBATION, "testford-housing"):
            planned = Planned.from_plain({"participant": participant, **ASKED[participant]})
            await coordinator.choose(REFERENCE, planned, user=MANAGER)
        await coordinator.rate(REFERENCE, "AMBER", "reported by the school", user=MANAGER)
        await coordinator.issue(REFERENCE, user=MANAGER)
        await area.settle()
        await Ashgrove(area, tell=lambda _when, _said: None).answer(
            PROBATION, level="4", best_placed="children's social care", analysis="high risk"
        )
        await area.settle()
        yield area


async def _item(area: Area) -> str:
    collation = await area.console.answers.collation(REFERENCE, user=MANAGER)
    return next(one.item.item for one in collation.items if one.participant == PROBATION)


async def _may_go(area: Area, item: str) -> bool:
    collation = await area.console.answers.collation(REFERENCE, user=MANAGER)
    return item in {one.item.item for one in items_for(collation, RECEIVING)}


async def _asked(area: Area, item: str) -> tuple[str, str]:
    """Ask, and give the request and the question as probation holds them."""
    question = await area.console.onward.ask(REFERENCE, item, RECEIVING, "assessment begins today", user=MANAGER)
    await area.settle()
    (file,) = await area.adapters[PROBATION].desk.list()
    assert [one.question for one in file.onward] == [question.question]
    return file.rfi.rfi or "", question.question


async def _answered(area: Area, rfi: str, question: str, *, granted: bool, days: int | None = None) -> None:
    until = area.time + timedelta(days=days) if days else None
    await area.adapters[PROBATION].onward.answer(rfi, question, granted=granted, valid_until=until, user=LEAD)
    await area.settle()


async def test_an_item_goes_further_only_after_its_originator_has_granted_it(area: Area) -> None:
    """Asking opens nothing; the grant opens one item to one audience and no other item."""
    item = await _item(area)
    rfi, question = await _asked(area, item)
    assert not await _may_go(area, item)
    await _answered(area, rfi, question, granted=True)
    collation = await area.console.answers.collation(REFERENCE, user=MANAGER)
    assert [one.item.item for one in items_for(collation, RECEIVING)] == [item]
    assert not items_for(collation, Audience.EARLY_HELP)
    enquiry = await area.console.decision_maker.hand_over(REFERENCE, "assessment team", (item,), user=MANAGER)
    assert enquiry.handovers[-1].items == (item,)


async def test_a_grant_that_is_taken_back_counts_no_longer(area: Area) -> None:
    """The originator's later word replaces its earlier one."""
    item = await _item(area)
    rfi, question = await _asked(area, item)
    await _answered(area, rfi, question, granted=True)
    assert await _may_go(area, item)
    await _answered(area, rfi, question, granted=False)
    assert not await _may_go(area, item)
    with pytest.raises(Refused, match="DIS-09"):
        await area.console.decision_maker.hand_over(REFERENCE, "assessment team", (item,), user=MANAGER)


async def test_a_grant_ends_by_itself_when_its_time_is_over(area: Area) -> None:
    """A grant until tomorrow is none the day after."""
    item = await _item(area)
    rfi, question = await _asked(area, item)
    await _answered(area, rfi, question, granted=True, days=1)
    assert await _may_go(area, item)
    area.time = area.time + timedelta(days=1, minutes=1)
    assert not await _may_go(area, item)


async def test_a_grant_by_somebody_who_does_not_hold_the_role_is_refused(area: Area) -> None:
    """Only the safeguarding lead of the originator answers."""
    item = await _item(area)
    rfi, question = await _asked(area, item)
    with pytest.raises(Refused, match="not a user"):
        await area.adapters[PROBATION].onward.answer(rfi, question, granted=True, valid_until=None, user="somebody")
    assert not await _may_go(area, item)


async def test_a_grant_forged_by_another_agency_changes_nothing(area: Area) -> None:
    """Housing may not open what is probation's, even with the question's reference in hand."""
    item = await _item(area)
    rfi, question = await _asked(area, item)
    (own,) = await area.adapters["testford-housing"].desk.list()
    forged = OnwardAnswer(
        enquiry=REFERENCE,
        rfi=rfi,
        item=item,
        question=question,
        audience=RECEIVING,
        granted=True,
        decided_by="probation_safeguarding_lead",
        decided_at=area.time,
    )
    await _send_as(area, "testford-housing", own, forged)
    await area.settle()
    assert not await _may_go(area, item)


async def test_a_question_about_an_audience_that_no_originator_may_add_is_not_asked(area: Area) -> None:
    """An invented audience, no reason, an unknown item: refused before anything is sent."""
    item = await _item(area)
    for wrong_item, audience, reason in (
        (item, "everybody", "why"),
        (item, RECEIVING, " "),
        ("none", RECEIVING, "why"),
    ):
        with pytest.raises(Refused, match="DIS-04"):
            await area.console.onward.ask(REFERENCE, wrong_item, audience, reason, user=MANAGER)


async def _send_as(area: Area, participant: str, file: RequestFile, message: OnwardAnswer) -> None:
    async with area.adapters[participant].store.transaction() as tx:
        await tell(tx, file, message, event="NTC", user="housing-lead", role="housing_safeguarding_lead")


async def test_the_content_keys_of_what_was_opened_are_kept_for_evidence(area: Area) -> None:
    """Prekeys are erased after weeks: without these keys nobody could prove in ten years what was answered."""
    async with area.adapters[COUNCIL].store.transaction() as tx:
        opened = [entry for entry in await tx.ledger_entries() if entry.event == "envelope.opened"]
        kept = [await tx.ledger_detail(entry.number) or b"" for entry in opened]
    assert {entry.refs["peer"] for entry in opened} == {PROBATION}
    assert all(len(keys) % 33 == 0 and keys for keys in kept)
