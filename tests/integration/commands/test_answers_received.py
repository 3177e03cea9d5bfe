"""What the coordinator does with answers: late ones, sealed parts, corrections, the telephone, the decision."""

from datetime import timedelta

import pytest

from adapters.kit.envelope.sealing import new_thread
from adapters.kit.refusal import Refused
from adapters.kit.store.errors import StoreUnavailable
from adapters.kit.store.transaction import Transaction
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from schemas.content.notice import Correction
from schemas.content.response import Responder
from tests.integration.commands.office import (
    CLERK,
    ENQUIRY,
    HOUSING,
    POLICE,
    PRACTITIONER,
    START,
    answered,
    approve_all,
    collation_of,
    enquiry_of,
    issued,
    kept,
    ledger_of,
    no_ledger,
    rfi_of,
    send_unchecked,
)

RESPONDER = Responder(name="X. Sample-Test", role="somebody", telephone="0113 496 0199")
USER = PRACTITIONER[HOUSING]


async def test_an_answer_after_the_decision_is_filed_late_and_shown_against_it(area: Area) -> None:
    """RSP-14: the decision says what it was made without."""
    await issued(area, HOUSING)
    await area.console.decision_maker.decide(
        ENQUIRY, outcome="early_help", level_of_need="2", rationale="as known", next_step="offer help", user=MANAGER
    )
    area.time = START + timedelta(days=3)
    await answered(area, HOUSING)

    collation = await collation_of(area)
    assert collation.decided is not None
    assert collation.decided.not_seen == (HOUSING,)
    assert [(row.late, row.status.value) for row in collation.rows] == [(True, "answered")]
    assert all(item.late for item in collation.items)


async def test_the_part_for_the_decision_maker_is_opened_by_nobody_without_the_role(area: Area) -> None:
    """DIS-02, DIS-10: the clerk's view has the indicator, and neither before nor after the opening the content."""
    await issued(area, POLICE)
    await answered(area, POLICE)

    with pytest.raises(Refused, match="decision_maker"):
        await area.console.decision_maker.open_sealed(ENQUIRY, user=CLERK)
    assert await ledger_of(area.adapters[COUNCIL], "section opened") == []
    before = await collation_of(area, user=CLERK)
    await area.console.decision_maker.open_sealed(ENQUIRY, user=MANAGER)
    after = await collation_of(area, user=CLERK)

    assert [one.item.item for one in after.items] == [one.item.item for one in before.items]
    assert not any(one.sealed for one in after.items)
    assert "weapons" not in after.model_dump_json()
    assert any(one.sealed for one in (await collation_of(area)).items)


async def test_the_part_for_the_decision_maker_is_in_clear_in_no_stored_answer_before_it_is_opened(area: Area) -> None:
    """The adapter's own keys in daily use do not open it: filing an answer does not read that part."""
    await issued(area, POLICE)
    await answered(area, POLICE)

    async with area.adapters[COUNCIL].store.snapshot() as view:
        plain = b"".join(document.plain for document in await view.list("answer"))
    assert b"weapons" not in plain
    assert b'"sealed":null' in plain


async def test_opening_the_sealed_part_is_in_the_ledger_with_the_persons_name_before_it_is_shown(
    area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-05: who opened what; where it cannot be written down, nothing is shown."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "record", no_ledger)
        with pytest.raises(StoreUnavailable):
            await area.console.decision_maker.open_sealed(ENQUIRY, user=MANAGER)
    assert not any(one.sealed for one in (await collation_of(area)).items)

    parts = await area.console.decision_maker.open_sealed(ENQUIRY, user=MANAGER)
    assert [len(part.items) for part in parts] == [2]
    assert [one["user"] for one in await ledger_of(area.adapters[COUNCIL], "section opened")] == [MANAGER]


async def test_a_correction_puts_the_wording_right_and_waits_for_everyone_who_holds_the_item(area: Area) -> None:
    """RSP-13: one task for each audience, closed one by one, and the agency learns of each."""
    await issued(area, HOUSING)
    response = await answered(area, HOUSING)
    item = response.items[0].item
    await area.console.decision_maker.hand_over(ENQUIRY, "team north", (item,), user=MANAGER)
    await _correct(area, "August, not September")

    enquiry = await enquiry_of(area)
    assert [(task.item, task.audience) for task in enquiry.corrections] == [
        (item, "mash_team"),
        (item, "receiving_service"),
    ]
    collation = await collation_of(area)
    assert "August, not September" in {one.item.wording for one in collation.items}
    assert collation.counters.correction_acknowledgements_owed == 2

    for task in enquiry.corrections:
        await area.console.decision_maker.acknowledge_correction(ENQUIRY, item, task.audience, user=MANAGER)
    await area.settle()
    history = [line.what for line in (await area.adapters[HOUSING].desk.list())[0].history]
    assert sum("acknowledged by" in what for what in history) == 2
    with pytest.raises(Refused, match="no correction"):
        await area.console.decision_maker.acknowledge_correction(ENQUIRY, item, "mash_team", user=MANAGER)


async def test_a_correction_that_nobody_approved_does_not_leave(area: Area) -> None:
    """Design, "Never" 2: the attack is to send by `correct` what `send` would have held."""
    await issued(area, HOUSING)
    await answered(area, HOUSING)
    before = await kept(area.adapters[HOUSING])

    with pytest.raises(Refused, match="still needs"):
        await area.adapters[HOUSING].desk.correct(
            await rfi_of(area, HOUSING), "HOU-01", wording="anything", what_was_wrong="x", user=USER
        )
    assert await kept(area.adapters[HOUSING]) == before


async def test_a_correction_of_what_was_sealed_or_withheld_does_not_reach_the_team(area: Area) -> None:
    """The intelligence that only the decision maker may have, and the MARAC item of which nothing left."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    desk, rfi = area.adapters[POLICE].desk, await rfi_of(area, POLICE)
    before = await kept(area.adapters[POLICE])

    for record in ("POL-02", "POL-03", "POL-07"):
        with pytest.raises(Refused):
            await desk.correct(rfi, record, wording="a knife", what_was_wrong="x", user=PRACTITIONER[POLICE])
    assert await kept(area.adapters[POLICE]) == before


async def test_a_correction_of_an_item_that_is_in_no_answer_is_refused(area: Area) -> None:
    """E25: it would open tasks for an item that nobody holds."""
    await issued(area, HOUSING)
    await answered(area, HOUSING)
    notice = Correction(
        enquiry=ENQUIRY,
        rfi=await rfi_of(area, HOUSING),
        item=new_thread(),
        wording="x",
        what_was_wrong="y",
        corrected_at=START,
    )
    await send_unchecked(area, HOUSING, COUNCIL, notice, event="NTC")
    await area.settle()

    assert (await enquiry_of(area)).corrections == ()
    assert [one["code"] for one in await ledger_of(area.adapters[COUNCIL], "arrival.refused")] == ["E25"]


async def test_an_answer_by_telephone_with_anything_missing_is_not_recorded(area: Area) -> None:
    """RSP-09, SEC-10: every reason at once, and nothing is stored."""
    from adapters.la.console.decision import Spoken

    await issued(area, HOUSING)
    before = await kept(area.adapters[COUNCIL])
    spoken = Spoken(
        speaker=" ",
        speaker_role="",
        telephone="",
        said="",
        nature="gossip",
        subjects=("nobody",),
        call_back_verified=False,
        not_overheard=False,
    )

    with pytest.raises(Refused) as refused:
        await area.console.decision_maker.record_phone_answer(ENQUIRY, HOUSING, spoken, user=MANAGER)
    assert len(refused.value.reasons) == 8
    assert await kept(area.adapters[COUNCIL]) == before


async def test_a_decision_with_anything_missing_is_not_recorded_and_nobody_is_told(area: Area) -> None:
    """RSP-15: outcome, one level, rationale and next step; by the decision maker; once."""
    await issued(area, HOUSING)
    before = await kept(area.adapters[COUNCIL])
    decide = area.console.decision_maker.decide

    with pytest.raises(Refused) as refused:
        await decide(ENQUIRY, outcome="hope", level_of_need="2-3", rationale=" ", next_step="", user=MANAGER)
    assert len(refused.value.reasons) == 4
    whole = {"outcome": "early_help", "level_of_need": "2", "rationale": "as known", "next_step": "offer help"}
    with pytest.raises(Refused, match="decision_maker"):
        await decide(ENQUIRY, user=CLERK, **whole)
    assert await kept(area.adapters[COUNCIL]) == before

    await decide(ENQUIRY, user=MANAGER, **whole)
    with pytest.raises(Refused, match="decided already"):
        await decide(ENQUIRY, user=MANAGER, **whole)


async def _correct(area: Area, wording: str) -> None:
    desk, rfi = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING)
    await desk.summarise(rfi, "HOU-01", wording=wording, user=USER)
    await approve_all(area, HOUSING, rfi)
    await desk.correct(rfi, "HOU-01", wording=wording, what_was_wrong="the month", user=USER)
    await area.settle()
