"""The coordinator's side over the hub: what is refused leaves no trace, what is asked arrives, nothing gets longer."""

import asyncio
from datetime import timedelta

import pytest

from adapters.kit.delivery.messages import Outbound, outgoing
from adapters.kit.refusal import Refused
from adapters.kit.store.errors import LostUpdate
from adapters.kit.store.filing import write
from adapters.la.console.enquiry import Planned
from adapters.la.console.form import load_form
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import FORM, Area
from schemas.content.notice import Request
from schemas.content.person import Person
from schemas.routing import Lane
from tests.integration.commands.office import (
    CLERK,
    ENQUIRY,
    HOUSING,
    POLICE,
    PRACTITIONER,
    START,
    answered,
    collation_of,
    enquiry_of,
    issued,
    kept,
    opened,
    rfi_of,
    send_unchecked,
)

NOBODY = Person(name="Somebody Else-Test", role="other_family", relationship="aunt")
HOUR = timedelta(hours=1)


async def test_a_refused_issue_stores_nothing_and_sends_nothing(area: Area) -> None:
    """Issue "Bad input": no document, no ledger entry, no message, not even for the recipient that was in order."""
    await opened(area, HOUSING, "testford-charity")
    before = await kept(area.adapters[COUNCIL])

    with pytest.raises(Refused) as refused:
        await area.console.coordinator.issue(ENQUIRY, user=MANAGER)
    await area.settle()

    assert len(refused.value.reasons) >= 2
    assert await kept(area.adapters[COUNCIL]) == before
    assert await area.adapters[HOUSING].desk.list() == ()


async def test_an_issue_is_refused_to_somebody_without_the_authority(area: Area) -> None:
    """TRI-05."""
    await opened(area, HOUSING)

    with pytest.raises(Refused, match="TRI-05"):
        await area.console.coordinator.issue(ENQUIRY, user=CLERK)


async def test_every_command_is_refused_to_somebody_unknown_and_changes_nothing(area: Area) -> None:
    """DIS-10: a user who is in no settings can neither look nor change."""
    await issued(area, HOUSING)
    await answered(area, HOUSING)
    console, before = area.console, await kept(area.adapters[COUNCIL])
    person, plan = NOBODY, Planned(participant=POLICE, rationale="x")

    for command in (
        console.coordinator.new("ENQ-2", load_form(FORM), user="mallory"),
        console.coordinator.amend(ENQUIRY, load_form(FORM), user="mallory"),
        console.coordinator.show(ENQUIRY, user="mallory"),
        console.coordinator.add_person(ENQUIRY, "x", person, user="mallory"),
        console.coordinator.choose(ENQUIRY, plan, user="mallory"),
        console.coordinator.leave_out(ENQUIRY, "dwp", "not relevant", user="mallory"),
        console.coordinator.rate(ENQUIRY, "RED", "x", user="mallory"),
        console.coordinator.issue(ENQUIRY, user="mallory"),
        console.coordinator.rerate(ENQUIRY, "RED", "x", user="mallory"),
        console.coordinator.record_call(ENQUIRY, HOUSING, "reached", user="mallory"),
        console.answers.collation(ENQUIRY, user="mallory"),
        console.answers.standing(user="mallory"),
        console.decision_maker.open_sealed(ENQUIRY, user="mallory"),
        console.decision_maker.hand_over(ENQUIRY, "team north", (), user="mallory"),
        console.decision_maker.acknowledge_correction(ENQUIRY, "item", "mash_team", user="mallory"),
    ):
        with pytest.raises(Refused):
            await command
    assert await kept(area.adapters[COUNCIL]) == before


async def test_a_reference_that_would_lose_its_answers_or_hold_a_name_is_refused(area: Area) -> None:
    """TRI-03: answers are kept under the reference, and it stands in ledgers and on the screen of everybody."""
    for reference in ("MASH/2026/431", "Tilly Ashgrove-Test", "", "x" * 65, "-1", "ENQ\n1"):
        with pytest.raises(Refused, match="TRI-03"):
            await area.console.coordinator.new(reference, load_form(FORM), user=MANAGER)


async def test_a_reference_is_given_once(area: Area) -> None:
    """The attack: open an enquiry again and lose the first."""
    await opened(area, HOUSING)
    before = await kept(area.adapters[COUNCIL])

    with pytest.raises(Refused, match="another enquiry"):
        await area.console.coordinator.new(ENQUIRY, load_form(FORM), user=MANAGER)
    assert await kept(area.adapters[COUNCIL]) == before


async def test_a_form_that_was_refused_can_be_mended_and_issued(area: Area) -> None:
    """A coordinator who was told what is missing has a way on."""
    await opened(area, HOUSING, form=load_form(FORM).model_copy(update={"reason": ""}))
    with pytest.raises(Refused, match="RFI-07"):
        await area.console.coordinator.issue(ENQUIRY, user=MANAGER)

    await area.console.coordinator.amend(ENQUIRY, load_form(FORM), user=CLERK)
    enquiry = await area.console.coordinator.issue(ENQUIRY, user=MANAGER)

    assert [one.participant for one in enquiry.issued] == [HOUSING]


async def test_a_recipient_chosen_by_mistake_can_be_left_out_and_one_asked_cannot(area: Area) -> None:
    """TRI-07: with the reason; what has gone out has gone out."""
    await opened(area, HOUSING, "testford-charity")
    await area.console.coordinator.leave_out(ENQUIRY, "testford-charity", "not a signatory", user=MANAGER)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER)

    assert (await enquiry_of(area)).not_contacted == {"voluntary": "not a signatory"}
    with pytest.raises(Refused, match="asked already"):
        await area.console.coordinator.leave_out(ENQUIRY, HOUSING, "changed our mind", user=MANAGER)


async def test_rating_anew_never_lengthens_at_either_end(area: Area) -> None:
    """SLA-10: RED, then GREEN by mistake, and the due time stays where RED put it, here and there."""
    await issued(area, HOUSING)
    first = (await enquiry_of(area)).issued[0].due_at
    area.time = START + HOUR
    await area.console.coordinator.rerate(ENQUIRY, "RED", "a weapon", user=MANAGER)
    await area.settle()
    red = (await enquiry_of(area)).issued[0].due_at
    area.time = START + 2 * HOUR
    await area.console.coordinator.rerate(ENQUIRY, "GREEN", "a mistake", user=MANAGER)
    await area.settle()

    (file,) = await area.adapters[HOUSING].desk.list()
    assert red < first
    assert (await enquiry_of(area)).issued[0].due_at == red
    assert (file.rfi.response_due_at, file.rfi.rag) == (red, "GREEN")


async def test_a_running_enquiry_is_neither_rated_as_if_new_nor_made_blue(area: Area) -> None:
    """TRI-06: `rate` would change the rating and tell nobody; BLUE would leave requests without a clock."""
    await issued(area, HOUSING)
    before = await kept(area.adapters[COUNCIL])

    with pytest.raises(Refused, match="rerate"):
        await area.console.coordinator.rate(ENQUIRY, "GREEN", "calmer", user=MANAGER)
    with pytest.raises(Refused, match="BLUE"):
        await area.console.coordinator.rerate(ENQUIRY, "BLUE", "calmer", user=MANAGER)
    assert await kept(area.adapters[COUNCIL]) == before


async def test_rating_is_for_the_manager_and_the_decision_maker_alone(area: Area) -> None:
    """TRI-06."""
    await issued(area, HOUSING)

    with pytest.raises(Refused, match="TRI-06"):
        await area.console.coordinator.rerate(ENQUIRY, "RED", "a weapon", user=CLERK)


async def test_who_has_answered_is_not_told_of_a_new_rating_and_who_owes_a_source_is(area: Area) -> None:
    """FAN-04: a partial answer is still waiting, and its sub-request's time comes forward too."""
    await issued(area, HOUSING, POLICE)
    await answered(area, HOUSING)
    desk, rfi = area.adapters[POLICE].desk, await rfi_of(area, POLICE)
    await desk.ask_source(rfi, "local_intelligence", user=PRACTITIONER[POLICE])
    await answered(area, POLICE)
    asked = (await desk.list())[0].sub_requests[0].due_at
    area.time = START + HOUR
    await area.console.coordinator.rerate(ENQUIRY, "RED", "a weapon", user=MANAGER)
    await area.settle()

    assert [line.what for line in (await area.adapters[HOUSING].desk.list())[0].history if "rated" in line.what] == []
    assert (await desk.list())[0].sub_requests[0].due_at < asked


async def test_an_incomplete_request_comes_back_with_its_gaps_once_and_goes_again_when_it_is_mended(area: Area) -> None:
    """RFI-15: the enquiry keeps its request, the corrected one is taken in its place and answered."""
    await issued(area, HOUSING)
    original = await enquiry_of(area)
    rfi = await _send_without_subject(area, rag="AMBER")

    (row,) = (await collation_of(area)).rows
    assert row.status.value == "bounced"
    assert row.gaps == ("Name the child whom the enquiry is about.",)

    area.time = START + HOUR
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER)
    await area.settle()
    again = await enquiry_of(area)
    assert len(again.issued) == 1
    assert again.issued[0].due_at > original.issued[0].due_at
    await answered(area, HOUSING, rfi=rfi)
    assert [row.status.value for row in (await collation_of(area)).rows] == ["answered"]


async def test_a_corrected_request_that_is_incomplete_still_is_queried_and_may_be_corrected_again(
    area: Area,
) -> None:
    """RFI-15: it is sent back once; after that its gaps are queried, and a request is never stuck between the two."""
    await issued(area, HOUSING)
    await _send_without_subject(area, rag="AMBER")
    bounced = (await kept(area.adapters[HOUSING])).outbox
    rfi = await _send_without_subject(area, rag="AMBER", same=True)

    (file,) = [one for one in await area.adapters[HOUSING].desk.list() if one.rfi.rfi == rfi]
    assert [line.what for line in file.history if line.by == "adapter"][-1] == "gaps queried"
    assert (await kept(area.adapters[HOUSING])).outbox == bounced + 3  # the two receipts, and the query

    await _send_without_subject(area, rag="AMBER", same=True)
    (file,) = [one for one in await area.adapters[HOUSING].desk.list() if one.rfi.rfi == rfi]
    assert [line.what for line in file.history].count("bounced") == 1


async def test_an_incomplete_red_request_is_never_sent_back_and_its_gaps_are_queried(area: Area) -> None:
    """RFI-15: RED is worked, and the answer asks for what was missing."""
    await issued(area, HOUSING)
    rfi = await _send_without_subject(area, rag="RED")
    (file,) = [one for one in await area.adapters[HOUSING].desk.list() if one.rfi.rfi == rfi]
    response = await answered(area, HOUSING, rfi=rfi)

    assert file.state == "received"
    assert response.gaps_queried == ("Name the child whom the enquiry is about.",)
    assert response.items


async def test_changes_by_many_at_once_are_all_kept(area: Area) -> None:
    """Ten coordinators add a person each at the same moment."""
    await opened(area, HOUSING)
    add = area.console.coordinator.add_person

    await asyncio.gather(*(add(ENQUIRY, f"person{number}", NOBODY, user=MANAGER) for number in range(10)))

    assert {f"person{number}" for number in range(10)} <= set((await enquiry_of(area)).form.persons)


async def test_a_change_of_what_somebody_else_has_changed_meanwhile_is_refused_and_loses_nothing(area: Area) -> None:
    """The lost update: read, somebody else writes, write what was read."""
    await opened(area, HOUSING)
    office = area.console.office
    async with office.store.transaction() as tx:
        stale, version = await office.read(tx, ENQUIRY)
    await area.console.coordinator.add_person(ENQUIRY, "aunt", NOBODY, user=MANAGER)

    with pytest.raises(LostUpdate):
        async with office.store.transaction() as tx:
            await office.write(tx, stale, version=version)
    assert "aunt" in (await enquiry_of(area)).form.persons


async def test_a_request_under_a_reference_that_is_on_file_changes_nothing(area: Area) -> None:
    """The attack: replace the family of a request that is being worked on."""
    await issued(area, HOUSING)
    before = (await area.adapters[HOUSING].desk.list())[0]
    forged = before.rfi.model_copy(update={"persons": {}})
    await send_unchecked(area, COUNCIL, HOUSING, Request(rfi=forged), event="REQ")
    await area.settle()

    assert await area.adapters[HOUSING].desk.list() == (before,)


async def _send_without_subject(area: Area, *, rag: str, same: bool = False) -> str:
    """Put an incomplete request in the place of the one that was issued, as a console with weaker checks would."""
    office = area.console.office
    async with office.store.transaction() as tx:
        enquiry, version = await office.read(tx, ENQUIRY)
        (before,) = enquiry.issued
        (file,) = (await area.adapters[HOUSING].desk.list())[-1:]
        persons = {key: one for key, one in file.rfi.persons.items() if one.role != "subject_child"}
        rfi = before.rfi if same else "RFI-incomplete"
        broken = file.rfi.model_copy(update={"rfi": rfi, "persons": persons, "rag": rag})
        bound = Outbound(HOUSING, before.thread, None, Lane.URGENT, "REQ", "amber")
        sent = await tx.enqueue(outgoing(bound, Request(rfi=broken), user=MANAGER, role="mash_team_manager"))
        replaced = before.model_copy(update={"rfi": rfi, "message": sent.ref, "mid": sent.mid or ""})
        await write(tx, "enquiry", ENQUIRY, enquiry.model_copy(update={"issued": (replaced,)}), version=version)
    await area.settle()
    return rfi
