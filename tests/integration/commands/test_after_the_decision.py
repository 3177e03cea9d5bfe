"""What comes after the decision over the hub: filed, shown against the decision, and somebody is told to read it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.kit.refusal import Refused
from adapters.kit.store.tables import ledger
from adapters.la.console.letter_writing import Wanted, write_letter
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from schemas.content.response import Response
from tests.integration.commands.office import (
    ENQUIRY,
    HOUSING,
    JUDGEMENT,
    POLICE,
    PRACTITIONER,
    answered,
    collation_of,
    enquiry_of,
    issued,
    rfi_of,
)


async def decided(area: Area) -> None:
    """Decide, and let everybody hear."""
    await area.console.decision_maker.decide(
        ENQUIRY, outcome="early_help", level_of_need="2", rationale="as known", next_step="early help", user=MANAGER
    )
    await area.settle()


async def alarms_about_answers(area: Area) -> list[dict[str, str]]:
    """Give the references of the alarms about answers that came after the decision."""
    async with area.adapters[COUNCIL].store.snapshot() as view:
        return [dict(alarm.refs) for alarm in await view.alarms() if alarm.code == "answer-after-decision"]


async def test_an_answer_that_comes_after_the_decision_is_shown_against_it_and_rings(area: Area) -> None:
    """RSP-14, RSP-16: the decision keeps saying that it was made without it, and nobody has to find it by chance."""
    await issued(area, HOUSING, POLICE)
    await answered(area, POLICE)
    assert await alarms_about_answers(area) == []
    await decided(area)
    before = (await enquiry_of(area)).decided
    assert before is not None
    assert (before.seen, before.not_seen) == ((POLICE,), (HOUSING,))

    await answered(area, HOUSING)

    collation = await collation_of(area)
    row = next(row for row in collation.rows if row.participant == HOUSING)
    assert (row.status.value, row.items > 0) == ("answered", True)
    assert collation.decided == before
    assert row.answered_at is not None
    assert row.answered_at > before.at
    assert [refs["from"] for refs in await alarms_about_answers(area)] == [HOUSING]


async def test_a_supplement_that_comes_after_the_decision_is_shown_against_it_and_rings(area: Area) -> None:
    """RSP-12: the danger is an agency that was seen, has learned more since, and is read by nobody again."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    await decided(area)
    before = (await enquiry_of(area)).decided
    assert before is not None
    assert before.seen == (POLICE,)
    assert await alarms_about_answers(area) == []

    supplement = await thought_again(area)

    assert supplement.supplement
    collation = await collation_of(area)
    (row,) = [row for row in collation.rows if row.participant == POLICE]
    assert (row.supplements, row.level_of_need, collation.decided) == (1, "4", before)
    (refs,) = await alarms_about_answers(area)
    assert (refs["enquiry"], refs["rfi"], refs["from"]) == (ENQUIRY, supplement.rfi, POLICE)


async def test_a_supplement_that_comes_before_the_decision_rings_nobody(area: Area) -> None:
    """What the decision maker reads anyway needs no alarm, or nobody would heed one."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    assert (await thought_again(area)).supplement
    assert await alarms_about_answers(area) == []


async def taken_away(area: Area) -> list[str]:
    """Give what the council's ledger says was taken away."""
    async with area.adapters[COUNCIL].store.snapshot() as view:
        rows = await view.select(ledger, select(ledger).where(ledger.c.event == "taken away"))
    return [json.loads(row["refs"])["what"] for row in rows]


async def test_who_lifted_a_condition_for_a_letter_to_the_family_is_in_the_ledger(area: Area, tmp_path: Path) -> None:
    """DIS-03: the attack is a condition that somebody lifts by a word, and nobody can say afterwards who it was."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    await decided(area)
    item = (await collation_of(area)).items[0].item.item
    wanted = Wanted("family", "Ms Sample-Test", early_help_agency="Family Hub-Test", confirmed=frozenset([item]))

    await write_letter(area.console, ENQUIRY, wanted, user=MANAGER, pdf=tmp_path / "letter.pdf")

    (what,) = await taken_away(area)
    assert what.startswith("printed the letter to the family")
    assert what.endswith(f"; confirmed for the family: {item}")


async def test_a_letter_that_may_not_be_is_neither_written_nor_in_the_ledger(area: Area, tmp_path: Path) -> None:
    """No addressee, an item confirmed for the referrer, no decision: each is refused, and nothing was taken away."""
    await issued(area, POLICE)
    await answered(area, POLICE)
    item = (await collation_of(area)).items[0].item.item
    pdf = tmp_path / "letter.pdf"
    for wanted, reason in (
        (Wanted("referrer", " "), "addressed-to"),
        (Wanted("referrer", "Ms Sample-Test", confirmed=frozenset([item])), "DIS-03"),
        (Wanted("referrer", "Ms Sample-Test"), "RSP-15"),
    ):
        with pytest.raises(Refused, match=reason):
            await write_letter(area.console, ENQUIRY, wanted, user=MANAGER, pdf=pdf)
    assert await taken_away(area) == []
    assert not pdf.exists()


async def thought_again(area: Area) -> Response:
    """Let the police find that the need is higher than they said, and tell."""
    desk, user, rfi = area.adapters[POLICE].desk, PRACTITIONER[POLICE], await rfi_of(area, POLICE)
    await desk.judge(rfi, JUDGEMENT.model_copy(update={"level_of_need": "4"}), user=user)
    response = await desk.send(rfi, user=user)
    await area.settle()
    return response
