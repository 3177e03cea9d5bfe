"""What comes back over the hub: filed once, from whom was asked, late or not, and opened only by whom it is for."""

from datetime import timedelta

import pytest

from adapters.kit.envelope.sealing import new_thread
from adapters.kit.refusal import Refused
from adapters.kit.store.errors import StoreUnavailable
from adapters.kit.store.transaction import Transaction
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from schemas.content.notice import Correction, CorrectionAcknowledgement, OutcomeNotice, Rerating
from schemas.content.response import Responder, Response
from tests.integration.commands.office import (
    CLERK,
    ENQUIRY,
    HOUSING,
    JUDGEMENT,
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
    received,
    replay,
    rfi_of,
    send_unchecked,
    state_of,
    written_down,
)

RESPONDER = Responder(name="X. Sample-Test", role="somebody", telephone="0113 496 0199")
USER = PRACTITIONER[HOUSING]


async def test_an_answer_from_an_agency_that_was_not_asked_is_refused_and_changes_nothing(area: Area) -> None:
    """E25: the police answer for housing; nothing is filed, and the sender learns that it was refused."""
    await issued(area, HOUSING)
    before = (await enquiry_of(area), [row.status for row in (await collation_of(area)).rows])
    forged = Response(enquiry=ENQUIRY, rfi=await rfi_of(area, HOUSING), as_at=START, responder=RESPONDER)
    ref = await send_unchecked(area, POLICE, COUNCIL, forged)
    await area.settle()

    assert (await enquiry_of(area), [row.status for row in (await collation_of(area)).rows]) == before
    assert [one["code"] for one in await ledger_of(area.adapters[COUNCIL], "arrival.refused")] == ["E25"]
    assert await state_of(area, POLICE, ref) == "REFUSED"


@pytest.mark.parametrize(
    "message",
    [
        Rerating(enquiry=ENQUIRY, rfi="RFI", rag="GREEN", response_due_at=START),
        OutcomeNotice(enquiry=ENQUIRY, rfi="RFI", outcome="early_help", level_of_need="2", decided_at=START),
        CorrectionAcknowledgement(enquiry=ENQUIRY, rfi="RFI", item="i", audience="mash_team", acknowledged_at=START),
    ],
    ids=lambda message: message.type,
)
async def test_only_who_asked_may_change_what_was_asked(
    area: Area, message: Rerating | OutcomeNotice | CorrectionAcknowledgement
) -> None:
    """The attack: another participant rates somebody's request GREEN, or closes it with an outcome."""
    await issued(area, HOUSING)
    housing = area.adapters[HOUSING]
    before = await housing.desk.list()
    about = message.model_copy(update={"rfi": await rfi_of(area, HOUSING)})

    async with housing.store.transaction() as tx:
        refusal = await housing.apply(tx, received(about, sender=POLICE))
    assert refusal is not None
    assert refusal.code == "E25"
    assert await housing.desk.list() == before


async def test_an_answer_that_is_delivered_again_is_filed_once(area: Area) -> None:
    """Design, "Never" 6: a crash may repeat a message; its effect happens once."""
    await issued(area, HOUSING)
    await answered(area, HOUSING)
    council = area.adapters[COUNCIL]
    before = await kept(council), await enquiry_of(area)

    assert await replay(area, HOUSING, COUNCIL) >= 1
    await area.settle()
    assert ((await kept(council)).documents, await enquiry_of(area)) == (before[0].documents, before[1])


async def test_a_request_that_is_delivered_again_is_filed_once(area: Area) -> None:
    """Likewise at the agency."""
    await issued(area, HOUSING)
    before = await area.adapters[HOUSING].desk.list()

    assert await replay(area, COUNCIL, HOUSING) >= 1
    assert await area.adapters[HOUSING].desk.list() == before


async def test_an_answer_is_not_sent_before_the_family_was_looked_up(area: Area) -> None:
    """The danger: one command too early, and the council reads "no trace"."""
    await issued(area, HOUSING)
    before = await kept(area.adapters[HOUSING])

    with pytest.raises(Refused, match="looked the family up"):
        await area.adapters[HOUSING].desk.send(await rfi_of(area, HOUSING), user=USER)
    assert (await kept(area.adapters[HOUSING])).documents == before.documents


async def test_a_refused_send_leaves_no_decision_in_the_ledger_and_no_message(area: Area) -> None:
    """REC-01: what is in the ledger as sent was sent."""
    await issued(area, HOUSING)
    rfi = await rfi_of(area, HOUSING)
    await area.adapters[HOUSING].desk.propose(rfi, user=USER)
    before = await kept(area.adapters[HOUSING])

    with pytest.raises(Refused) as refused:
        await area.adapters[HOUSING].desk.send(rfi, user=USER)
    assert len([reason for reason in refused.value.reasons if not reason.startswith(("LAW-", "to write"))]) == 4
    assert any(reason.startswith("LAW-24") for reason in refused.value.reasons)
    assert await kept(area.adapters[HOUSING]) == before


async def test_an_answer_whose_decisions_cannot_be_written_down_is_not_sent(
    area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-01: the ledger fails, and nothing leaves."""
    await issued(area, HOUSING)
    rfi, desk = await rfi_of(area, HOUSING), area.adapters[HOUSING].desk
    await desk.propose(rfi, user=USER)
    await approve_all(area, HOUSING, rfi)
    await desk.judge(rfi, JUDGEMENT, user=USER)
    await written_down(area, HOUSING, rfi)
    before = await kept(area.adapters[HOUSING])

    monkeypatch.setattr(Transaction, "record", _no_ledger)
    with pytest.raises(StoreUnavailable):
        await desk.send(rfi, user=USER)
    assert await kept(area.adapters[HOUSING]) == before


async def test_a_second_send_sends_nothing_twice(area: Area) -> None:
    """A double click is refused, and the council has one answer."""
    await issued(area, HOUSING)
    await answered(area, HOUSING)

    with pytest.raises(Refused, match="nothing is new"):
        await area.adapters[HOUSING].desk.send(await rfi_of(area, HOUSING), user=USER)
    assert (await collation_of(area)).counters.supplements == 0


async def test_listing_is_not_seeing_and_seeing_is_told_once(area: Area) -> None:
    """Design, "Never" 5: received, seen by a person and answered are different things."""
    await issued(area, HOUSING)
    desk = area.adapters[HOUSING].desk
    await desk.list()
    await area.settle()
    assert [row.status.value for row in (await collation_of(area)).rows] == ["received"]

    await desk.show(await rfi_of(area, HOUSING), user=USER)
    await area.settle()
    first = (await kept(area.adapters[HOUSING])).outbox
    await desk.show(await rfi_of(area, HOUSING), user=USER)
    await area.settle()
    assert [row.status.value for row in (await collation_of(area)).rows] == ["seen"]
    assert (await kept(area.adapters[HOUSING])).outbox == first


async def test_the_practitioners_commands_are_refused_to_somebody_unknown(area: Area) -> None:
    """DIS-10, RSP-19."""
    await issued(area, HOUSING)
    desk, rfi = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING)
    await desk.propose(rfi, user=USER)
    before = await kept(area.adapters[HOUSING])

    for command in (
        desk.show(rfi, user="mallory"),
        desk.propose(rfi, user="mallory"),
        desk.standing(rfi, user="mallory"),
        desk.ask_source(rfi, "gp", user="mallory"),
        desk.source_answered(rfi, "gp", user="mallory"),
        desk.approve(rfi, "HOU-01", role="housing_safeguarding_lead", user="mallory"),
        desk.summarise(rfi, "HOU-01", wording="x", user="mallory"),
        desk.withhold(rfi, "HOU-01", ground="NOT_RELEVANT", note="", user="mallory"),
        desk.judge(rfi, JUDGEMENT, user="mallory"),
        desk.send(rfi, user="mallory"),
        desk.correct(rfi, "HOU-01", wording="x", what_was_wrong="y", user="mallory"),
    ):
        with pytest.raises(Refused):
            await command
    assert await kept(area.adapters[HOUSING]) == before


async def test_an_approval_in_a_role_that_is_not_held_is_refused(area: Area) -> None:
    """RSP-19."""
    await issued(area, POLICE)
    desk, rfi = area.adapters[POLICE].desk, await rfi_of(area, POLICE)
    await desk.propose(rfi, user=PRACTITIONER[POLICE])

    with pytest.raises(Refused, match="RSP-19"):
        await desk.approve(rfi, "POL-02", role="force_intelligence_unit", user=PRACTITIONER[POLICE])


async def test_the_author_of_a_sensitive_wording_does_not_approve_it(area: Area) -> None:
    """RSP-19: four eyes for intelligence; and one's own wording of an inspection is one's own."""
    await issued(area, POLICE, HOUSING)
    desk, rfi = area.adapters[POLICE].desk, await rfi_of(area, POLICE)
    await desk.propose(rfi, user=PRACTITIONER[POLICE])
    await desk.summarise(rfi, "POL-02", wording="a risk of weapons is reported", user="fiu-duty")

    with pytest.raises(Refused, match="somebody else"):
        await desk.approve(rfi, "POL-02", role="force_intelligence_unit", user="fiu-duty")
    housing, other = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING)
    await housing.propose(other, user=USER)
    await housing.summarise(other, "HOU-01", wording="cold and damp", user=USER)
    await housing.approve(other, "HOU-01", role="housing_safeguarding_lead", user=USER)


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
        broken.setattr(Transaction, "record", _no_ledger)
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


async def _no_ledger(*_: object, **__: object) -> int:
    raise StoreUnavailable
