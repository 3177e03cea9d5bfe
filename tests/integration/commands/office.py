"""A small Testfordshire for tests of commands: a council and two agencies over the embedded hub, and ways to look."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import InboxWorker, Received
from adapters.kit.delivery.outbox import OUT
from adapters.kit.delivery.receipt_flow import Original
from adapters.kit.envelope.sealing import Author, Section, new_thread
from adapters.kit.envelope.verification import Opened
from adapters.kit.keys.secrets import SecretBytes
from adapters.kit.running.adapter import Adapter
from adapters.kit.store.errors import StoreUnavailable
from adapters.kit.store.tables import envelope, outbox_rows
from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Enquiry, Form, Planned
from adapters.la.console.form import load_form
from broker.hub import Delivery
from deploy.demo.agencies import AGENCIES, COUNCIL, MANAGER, DemoUser
from deploy.demo.area import FORM, Area
from deploy.demo.lawful import written
from deploy.demo.scenario import at
from schemas.content.base import Content
from schemas.content.notice import read_message
from schemas.content.response import Judgement, Response
from schemas.routing import Lane
from schemas.stub import Event

START = at(24, 10, 12)
ENQUIRY = "ENQ-2026-000431"
HOUSING, POLICE = "testford-housing", "testford-police"
CLERK = "clerk"
STAFF = {
    MANAGER: DemoUser("P. Example", "MASH team manager", ("mash_team_manager", "decision_maker")),
    CLERK: DemoUser("C. Clerk-Test", "MASH coordinator", ("coordinator",)),
}
THREE = [
    replace(agency, users=STAFF) if agency.participant == COUNCIL else agency
    for agency in AGENCIES
    if agency.participant in (COUNCIL, HOUSING, POLICE)
]
PRACTITIONER = {HOUSING: "housing-lead", POLICE: "ppd-sergeant"}
JUDGEMENT = Judgement(level_of_need="3", best_placed="children's social care", analysis="as found")


@dataclass(frozen=True)
class Kept:
    """Everything that a store keeps, in a form that can be compared."""

    documents: tuple[tuple[str, str, int], ...]
    ledger: tuple[str, ...]
    outbox: int


async def kept(adapter: Adapter) -> Kept:
    """Give what an adapter's store keeps now."""
    kinds = ("enquiry", "answer", "progress", "rfi")
    async with adapter.store.snapshot() as view:
        documents = [(one.kind, one.key, one.version) for kind in kinds for one in await view.list(kind)]
        ledger = [entry.event for entry in await view.ledger_entries()]
        outbox = await view.select(outbox_rows, select(outbox_rows))
    return Kept(tuple(documents), tuple(ledger), len(outbox))


async def ledger_of(adapter: Adapter, event: str) -> list[dict[str, str]]:
    """Give the references of every ledger entry of an event."""
    async with adapter.store.snapshot() as view:
        return [dict(entry.refs) for entry in await view.ledger_entries() if entry.event == event]


async def opened(area: Area, *asked: str, rag: str = "AMBER", form: Form | None = None) -> None:
    """Open, choose and rate the enquiry, so that it may be issued."""
    coordinator = area.console.coordinator
    await coordinator.new(ENQUIRY, form or load_form(FORM), user=MANAGER)
    for participant in asked:
        plan = Planned(participant=participant, rationale="known to them", public_task_statement=True)
        await coordinator.choose(ENQUIRY, plan, user=MANAGER)
    await coordinator.rate(ENQUIRY, rag, "as reported by the school", user=MANAGER)


async def issued(area: Area, *asked: str, rag: str = "AMBER") -> None:
    """Open the enquiry, issue it, and let it arrive."""
    await opened(area, *asked, rag=rag)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER)
    await area.settle()


async def rfi_of(area: Area, participant: str) -> str:
    """Give the reference of the one request that a participant holds."""
    (file,) = await area.adapters[participant].desk.list()
    return file.rfi.rfi or ""


async def approve_all(area: Area, participant: str, rfi: str) -> None:
    """Word what has no wording, and give every approval that is needed, by whoever holds the role."""
    desk = area.adapters[participant].desk
    for one in (await desk.standing(rfi, user=PRACTITIONER[participant])).judged:
        if "summary_author" in one.approvals_needed:
            await desk.summarise(rfi, one.candidate.key, wording="worded by hand", user=PRACTITIONER[participant])
    for one in (await desk.standing(rfi, user=PRACTITIONER[participant])).judged:
        for role in sorted(one.approvals_needed):
            await desk.approve(rfi, one.candidate.key, role=role, user=area.holder_of(participant, role))


async def written_down(area: Area, participant: str, rfi: str) -> None:
    """Record what shows that the answer is lawful, as a practitioner does."""
    desk, user = area.adapters[participant].lawful, PRACTITIONER[participant]
    await desk.record(rfi, written(await desk.form(rfi, user=user)), user=user)


async def answered(area: Area, participant: str, *, rfi: str | None = None) -> Response:
    """Answer the one request, or the one named, as a practitioner does, and let it arrive."""
    desk, user = area.adapters[participant].desk, PRACTITIONER[participant]
    rfi = rfi or await rfi_of(area, participant)
    await desk.propose(rfi, user=user)
    await approve_all(area, participant, rfi)
    await desk.judge(rfi, JUDGEMENT, user=user)
    await written_down(area, participant, rfi)
    response = await desk.send(rfi, user=user)
    await area.settle()
    return response


async def enquiry_of(area: Area) -> Enquiry:
    """Give the enquiry as it is kept."""
    async with area.adapters[COUNCIL].store.snapshot() as view:
        document = await view.get("enquiry", ENQUIRY)
    assert document is not None
    return Enquiry.model_validate_json(document.plain)


async def collation_of(area: Area, *, user: str = MANAGER) -> Collation:
    """Give the collation as a user sees it."""
    return await area.console.answers.collation(ENQUIRY, user=user)


async def send_unchecked(area: Area, sender: str, recipient: str, message: Content, **changes: Any) -> str:
    """Send what no console or desk of ours would send, sealed with the sender's own keys; gives its place."""
    from adapters.kit.delivery.messages import Outbound, outgoing

    bound = Outbound(
        recipient=recipient,
        thread=new_thread(),
        in_reply_to=None,
        lane=Lane.URGENT,
        event="ANS",
        service_class="amber",
    )
    made = outgoing(replace(bound, **changes), message, user="somebody", role="somebody")
    async with area.adapters[sender].store.transaction() as tx:
        return (await tx.enqueue(made)).ref


async def state_of(area: Area, sender: str, ref: str) -> str:
    """Give where a message stands in its sender's outbox."""
    async with area.adapters[sender].store.snapshot() as view:
        found = await view.outgoing(ref)
    assert found is not None
    return found.state.value


def received(message: Content, *, sender: str, lane: Lane = Lane.URGENT, now: datetime = START) -> Received:
    """Give a message as the inbox hands it over, from a sender of the test's choice."""
    assert read_message(message.canonical_bytes())
    thread = new_thread()
    return Received(
        original=Original(sender, new_thread(), thread, bytes(32)),
        event=Event.NOTICE,
        lane=lane,
        service_class="amber",
        in_reply_to=None,
        sent_at=now,
        received_at=now + timedelta(seconds=1),
        opened=Opened(Author("u", "user"), "p", {Section.TEAM: message.canonical_bytes()}, SecretBytes(b"")),
    )


async def replay(area: Area, sender: str, recipient: str) -> int:
    """Deliver everything that `sender` ever sent a second time; gives how many envelopes."""
    async with area.adapters[sender].store.snapshot() as view:
        rows = {row["ref"]: row for row in await view.select(outbox_rows, select(outbox_rows))}
        bodies = await view.select(envelope, select(envelope).where(envelope.c.way == OUT))
    adapter, sent = area.adapters[recipient], 0
    receiver = InboxReceiver(adapter.store, adapter.envelopes)
    for kept_body in bodies:
        row = rows[kept_body["ref"]]
        if row["recipient"] == recipient and kept_body["whole"]:
            lane = Lane(row["lane"])
            await receiver.handle(Delivery(sender, lane, kept_body["body"], has_cc=False, redelivered=True))
            sent += 1
    await InboxWorker(adapter.store, adapter.envelopes).run_once(adapter.apply)
    return sent


async def no_ledger(*_: object, **__: object) -> int:
    """Be a ledger that nothing can be entered in."""
    raise StoreUnavailable
