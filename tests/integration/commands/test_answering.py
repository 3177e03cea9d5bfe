"""What comes back over the hub, filed once and from whom was asked; and what no practitioner can send."""

import pytest

from adapters.kit.refusal import Refused
from adapters.kit.store.errors import StoreUnavailable
from adapters.kit.store.transaction import Transaction
from deploy.demo.agencies import COUNCIL
from deploy.demo.area import Area
from schemas.content.notice import CorrectionAcknowledgement, OutcomeNotice, Rerating
from schemas.content.response import Responder, Response
from tests.integration.commands.office import (
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
    no_ledger,
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

    monkeypatch.setattr(Transaction, "record", no_ledger)
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
