"""Everything that came back, side by side: who answered, what, with which markings, what is held back, what is owed.

Pure: a view of the enquiry and its answers at one moment for one kind of reader. "No reply" is a state of its own and
never a nil (design, "Never" 4). Differing levels of need are shown, not resolved: the decision is a person's.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from adapters.la.console.arrived import Arrived, Progress
from adapters.la.console.enquiry import Decided, Enquiry, Issued
from adapters.la.console.figures import Counters as Counters
from adapters.la.console.figures import figures
from adapters.la.console.owed import breaches, nil_of, outstanding, parts_of
from adapters.la.console.register import Register
from schemas.content.base import Content
from schemas.content.codes import Audience
from schemas.content.response import Indicator, Item, Nil, Referral, Refusal, TraceStatus


class Status(StrEnum):
    """Where one request stands. The five acknowledgements are different things (design, "Never" 5)."""

    SENT = "sent"
    RECEIVED = "received"
    SEEN = "seen"
    PARTIAL = "partial"
    ANSWERED = "answered"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"
    PARTICIPANT_LEFT = "participant_left"


class Row(Content):
    """One agency's line of the collation. `late` and `overdue` are judged by the due time now in force."""

    participant: str
    name: str
    rfi: str
    status: Status
    due_at: AwareDatetime
    received_at: AwareDatetime | None
    seen_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    late: bool
    overdue: bool
    nil: Nil | None
    level_of_need: str | None
    best_placed: str | None
    analysis: str | None
    items: int
    for_decision_maker: int
    indicated: int
    referred: int
    refused: int
    supplements: int
    owed: tuple[str, ...]
    gaps: tuple[str, ...]
    owed_until: dict[str, AwareDatetime] = {}
    traces: dict[str, TraceStatus] = {}
    by_phone: bool = False


class CollatedItem(Content):
    """One item, and whose answer it came in. `sealed` items are shown to the decision maker alone."""

    participant: str
    name: str
    arrived_at: AwareDatetime
    sealed: bool
    supplement: bool
    late: bool
    item: Item


class HeldBack(Content):
    """What an agency holds and did not give: whom to ring, or whom to ask instead."""

    participant: str
    name: str
    indicator: Indicator | None = None
    referral: Referral | None = None
    refusal: Refusal | None = None
    note: str | None = None


class Collation(Content):
    """The whole view of one enquiry at `as_at`; `persons` says what the keys in items stand for."""

    enquiry: str
    rag: str | None
    as_at: AwareDatetime
    rows: tuple[Row, ...]
    items: tuple[CollatedItem, ...]
    held_back: tuple[HeldBack, ...]
    not_contacted: dict[str, str]
    levels_of_need: dict[str, str]
    levels_differ: bool
    decided: Decided | None
    counters: Counters
    reader: Literal[Audience.MASH_TEAM, Audience.DECISION_MAKER] = Audience.MASH_TEAM
    persons: dict[str, str] = {}


def collate(
    enquiry: Enquiry,
    arrived: Sequence[Arrived],
    progress: dict[str, Progress],
    *,
    register: Register,
    now: datetime,
    open_sealed: bool = False,
) -> Collation:
    """Collate the answers. `open_sealed` is for the decision maker: sealed parts that were opened are then shown."""
    ordered = sorted(arrived, key=lambda one: (one.at, one.response.part))
    rows = tuple(_row(issued, ordered, progress, register=register, now=now) for issued in enquiry.issued)
    levels = {row.name: row.level_of_need for row in rows if row.level_of_need}
    held_back = tuple(held for one in ordered for held in _held_back(enquiry, one, register=register))
    return Collation(
        enquiry=enquiry.reference,
        rag=enquiry.rag,
        as_at=now,
        rows=rows,
        items=tuple(
            with_grants(item, enquiry, now=now)
            for one in ordered
            for item in _items(enquiry, one, register, open_sealed=open_sealed)
        ),
        held_back=held_back,
        not_contacted=enquiry.not_contacted,
        levels_of_need=levels,
        levels_differ=len(set(levels.values())) > 1,
        decided=enquiry.decided,
        counters=_counted(enquiry, ordered, rows, now=now),
        reader=Audience.DECISION_MAKER if open_sealed else Audience.MASH_TEAM,
        persons={key: person.name for key, person in enquiry.form.persons.items() if person.name},
    )


def with_grants(one: CollatedItem, enquiry: Enquiry, *, now: datetime) -> CollatedItem:
    """Give the item with the audiences that its originator has added and not taken back (DIS-04)."""
    marking = one.item.marking
    for question in enquiry.onward:
        asked = enquiry.request(question.rfi)
        is_about_it = question.item == one.item.item and asked is not None and asked.participant == one.participant
        if is_about_it and question.permits(now=now):
            marking = marking.granted(question.audience)
    return one.model_copy(update={"item": one.item.model_copy(update={"marking": marking})})


def _counted(enquiry: Enquiry, arrived: Sequence[Arrived], rows: Sequence[Row], *, now: datetime) -> Counters:
    """Count what the collation shows; a source that a cancelled request still owes is no breach."""
    cancelled = {issued.rfi for issued in enquiry.issued if issued.cancelled}
    pursued = [one for one in arrived if one.response.rfi not in cancelled]
    return figures(
        enquiry,
        [one.response for one in arrived],
        answered=sum(row.status is Status.ANSWERED for row in rows),
        rfi_breaches=sum(row.late or row.overdue for row in rows),
        sub_request_breaches=breaches(parts_of(pursued), now=now),
    )


def _name(participant: str, register: Register) -> str:
    party = register.party(participant)
    return party.name if party else participant


def _row(
    issued: Issued, arrived: Sequence[Arrived], progress: dict[str, Progress], *, register: Register, now: datetime
) -> Row:
    own = [one for one in arrived if one.response.rfi == issued.rfi]
    way = progress.get(issued.rfi, Progress())
    first = own[0] if own else None
    still_owed = () if issued.cancelled else outstanding(parts_of(own))
    judgement = next((one.response.judgement for one in reversed(own) if one.response.judgement), None)
    answered_at = first.at if first else None
    return Row(
        participant=issued.participant,
        name=_name(issued.participant, register),
        rfi=issued.rfi,
        status=Status(issued.cancelled.cause)
        if issued.cancelled and not own
        else _status(own, way, owing=bool(still_owed)),
        due_at=issued.due_at,
        received_at=way.received_at,
        seen_at=way.seen_at,
        answered_at=answered_at,
        late=answered_at is not None and answered_at > issued.due_at,
        overdue=answered_at is None and now > issued.due_at and issued.cancelled is None,
        nil=nil_of([one.response for one in own]),
        level_of_need=judgement.level_of_need if judgement else None,
        best_placed=judgement.best_placed if judgement else None,
        analysis=judgement.analysis if judgement else None,
        items=sum(len(one.response.items) for one in own),
        for_decision_maker=sum(one.response.for_decision_maker for one in own),
        indicated=sum(len(one.response.indicators) for one in own),
        referred=sum(len(one.response.referrals) for one in own),
        refused=sum(len(one.response.refusals) for one in own),
        supplements=sum(one.response.supplement for one in own),
        owed=tuple(each.source for each in still_owed),
        gaps=way.gaps,
        owed_until={each.source: each.due_at for each in still_owed},
        traces={key: trace for one in own for key, trace in one.response.traces.items()},
        by_phone=any(one.by_phone for one in own),
    )


def _status(own: Sequence[Arrived], way: Progress, *, owing: bool) -> Status:
    if own:
        return Status.PARTIAL if owing else Status.ANSWERED
    if way.gaps:
        return Status.BOUNCED
    if way.seen_at:
        return Status.SEEN
    return Status.RECEIVED if way.received_at else Status.SENT


def _items(enquiry: Enquiry, one: Arrived, register: Register, *, open_sealed: bool) -> tuple[CollatedItem, ...]:
    issued = enquiry.request(one.response.rfi)
    if issued is None:
        return ()
    shown = [(item, False) for item in one.response.items]
    if open_sealed and one.sealed is not None:
        shown += [(item, True) for item in one.sealed.items]
    return tuple(
        CollatedItem(
            participant=issued.participant,
            name=_name(issued.participant, register),
            arrived_at=one.at,
            sealed=sealed,
            supplement=one.response.supplement,
            late=one.at > issued.due_at,
            item=item,
        )
        for item, sealed in shown
    )


def _held_back(enquiry: Enquiry, one: Arrived, *, register: Register) -> tuple[HeldBack, ...]:
    issued = enquiry.request(one.response.rfi)
    if issued is None:
        return ()
    asked = {party.kind for other in enquiry.issued if (party := register.party(other.participant))}
    name = _name(issued.participant, register)
    held = [HeldBack(participant=issued.participant, name=name, indicator=each) for each in one.response.indicators]
    held += [
        HeldBack(participant=issued.participant, name=name, referral=each, note=_already_asked(each, asked))
        for each in one.response.referrals
    ]
    held += [HeldBack(participant=issued.participant, name=name, refusal=each) for each in one.response.refusals]
    return tuple(held)


def _already_asked(referral: Referral, asked: set[str]) -> str | None:
    already = ", ".join(originator for originator in referral.refer_to if originator in asked)
    return f"{already} already asked" if already else None
