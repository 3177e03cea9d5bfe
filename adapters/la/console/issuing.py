"""What an enquiry would send to whom if it were issued now, and every reason against it at once. Pure.

A request that went back with its gaps is sent anew under its own reference, on a clock of its own (RFI-15); everybody
else who was asked already is not asked again.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.la.console import clocks
from adapters.la.console.admission import NOT_LISTED, Objection, objections_to_enquiry, objections_to_recipient
from adapters.la.console.enquiry import Enquiry, Issued, Planned
from adapters.la.console.minimise import request_to
from adapters.la.console.register import Register
from broker.calendar import WorkingCalendar
from schemas.content.codes import RagRating
from schemas.content.rfi import RequestForInformation

_ASKABLE = frozenset({RagRating.RED, RagRating.AMBER, RagRating.GREEN})
_OF_A_RECIPIENT = frozenset({NOT_LISTED, "signatory", "rationale", "due", "directory"})


@dataclass(frozen=True)
class Area:
    """What holds for the whole area: the register of its parties, its working calendar, and the directory's agreements.

    `may_write_to`: whether the directory lets us write to a participant.
    """

    register: Register
    calendar: WorkingCalendar
    may_write_to: Callable[[str], bool]


@dataclass(frozen=True)
class Draft:
    """One request that would go out; `again` is the one that it replaces, if that went back with gaps."""

    planned: Planned
    request: RequestForInformation
    again: Issued | None


def drafts(
    enquiry: Enquiry,
    *,
    area: Area,
    bounced: frozenset[str],
    now: datetime,
    sooner: datetime | None = None,
    queried: frozenset[str] = frozenset(),
) -> tuple[Draft, ...]:
    """Make the requests to everyone chosen who has not been asked, or whose request (`bounced`, by RFI) went back.

    Only the first correction starts a new clock: one whose gaps were `queried` again keeps its due time (RFI-15).
    """
    asked = {planned.participant: enquiry.request_to(planned.participant) for planned in enquiry.planned}
    return tuple(
        _draft(enquiry, planned, again=issued, area=area, now=now, sooner=_soonest(sooner, issued, queried, now=now))
        for planned in enquiry.planned
        if (issued := asked[planned.participant]) is None or issued.rfi in bounced
    )


def objections(
    enquiry: Enquiry, made: Sequence[Draft], *, roles: Iterable[str], area: Area, now: datetime
) -> tuple[str, ...]:
    """Give every reason against issuing: those about the enquiry, then those about each recipient, none said twice."""
    about_all = tuple(objections_to_enquiry(enquiry, authorised_by_roles=roles, now=now))
    said = {objection.where for objection in about_all}
    by_recipient = {
        draft.planned.participant: tuple(
            objection for objection in _about_recipient(draft, area=area, now=now) if objection.where not in said
        )
        for draft in made
    }
    if enquiry.planned and not made:
        about_all += (
            Objection(requirement="TRI-07", where="recipients", message="everybody chosen has been asked already"),
        )
    return tuple(map(str, (*about_all, *_gathered(by_recipient))))


def _about_recipient(draft: Draft, *, area: Area, now: datetime) -> Iterator[Objection]:
    participant = draft.planned.participant
    party = area.register.party(participant)
    yield from objections_to_recipient(draft.request, draft.planned, party, now=now)
    if party is not None and not area.may_write_to(participant):
        message = "the directory of keys holds no agreement by which we may write to it"
        yield Objection(requirement="GOV-01", where="directory", message=message)


def _gathered(by_recipient: Mapping[str, Sequence[Objection]]) -> Iterable[Objection]:
    """Say what stands against everybody once; name the recipient of what stands against some, or is their own."""
    parties = [set(found) for found in by_recipient.values() if found and found[0].where != NOT_LISTED]
    shared = set.intersection(*parties) if parties else set()
    everywhere = {one for one in shared if len(parties) > 1 or not _is_recipients_own(one.where)}
    said = dict.fromkeys(one for found in by_recipient.values() for one in found if one in everywhere)
    yield from said
    for participant, found in by_recipient.items():
        yield from (one.model_copy(update={"participant": participant}) for one in found if one not in everywhere)


def _is_recipients_own(where: str) -> bool:
    return where in _OF_A_RECIPIENT or where.startswith("recipient.")


def _soonest(
    sooner: datetime | None, again: Issued | None, queried: frozenset[str], *, now: datetime
) -> datetime | None:
    kept = again.due_at if again and again.rfi in queried and again.due_at > now else None
    return min(filter(None, (sooner, kept)), default=None)


def _draft(
    enquiry: Enquiry, planned: Planned, *, again: Issued | None, area: Area, now: datetime, sooner: datetime | None
) -> Draft:
    due, urgent = None, False
    if enquiry.rag in _ASKABLE:
        due, urgent = clocks.due_and_urgency(enquiry.rag or "", issued_at=now, calendar=area.calendar, sooner=sooner)
    request = request_to(
        enquiry,
        planned,
        register=area.register,
        rfi=again.rfi if again else f"RFI-{secrets.token_hex(6)}",
        issued_at=now,
        due_at=due,
        urgent=urgent,
    )
    return Draft(planned, request, again)
