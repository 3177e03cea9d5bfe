"""Whether an enquiry may be sent: every reason against it, all at once, before anything is sealed.

The checks are pure and each names its requirement. An empty result means that the enquiry may be issued; nothing is
stored and nothing is sent while there is one reason left.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from adapters.kit.disclosure import gaps
from adapters.kit.disclosure.dates import london_day
from adapters.kit.lookup.identifiers import is_sound
from adapters.la.console.enquiry import Enquiry, Planned
from adapters.la.console.lawful import against_asking
from adapters.la.console.register import Party
from schemas.content.base import Content
from schemas.content.codes import RagRating
from schemas.content.rfi import RequestForInformation

MAY_AUTHORISE: Final = frozenset({"mash_team_manager", "decision_maker"})
MAY_BE_ASKED: Final = frozenset({"active", "notice_given"})
MINIMUM_EXPLANATION: Final = 15
NOT_LISTED: Final = "register"


class Objection(Content):
    """One reason why the enquiry may not be sent: the requirement, where, and what to do about it.

    `participant` is the recipient that it stands against, or None where it stands against all.
    """

    requirement: str
    where: str
    message: str
    participant: str | None = None

    def __str__(self) -> str:
        """Give the line that the coordinator reads."""
        whom = f"{self.participant}, " if self.participant else ""
        return f"{self.requirement}  {whom}{self.where}: {self.message}"


def objections_to_enquiry(
    enquiry: Enquiry, *, authorised_by_roles: Iterable[str], now: datetime
) -> Iterator[Objection]:
    """Give what stands against the enquiry as a whole, whoever is asked."""
    form = enquiry.form
    if not MAY_AUTHORISE & set(authorised_by_roles):
        yield Objection(
            requirement="TRI-05",
            where="authority",
            message="an enquiry is issued by the MASH team manager or the decision maker; ask one of them to issue it",
        )
    if form.open_case.status is None or form.open_case.checked_at is None:
        yield Objection(
            requirement="TRI-01", where="open_case", message="record the open-case check: system, time and result"
        )
    if form.open_case.status == "open" and not form.open_case.override:
        yield Objection(
            requirement="TRI-02",
            where="open_case.override",
            message="the child is open to a worker: pass it to them, or record why MASH asks all the same",
        )
    if enquiry.rag is None:
        yield Objection(requirement="TRI-06", where="rag", message="rate the enquiry RED, AMBER or GREEN first")
    if enquiry.rag == RagRating.BLUE:
        yield Objection(requirement="TRI-06", where="rag", message="a BLUE contact asks nobody; rate it anew to ask")
    if not enquiry.planned:
        yield Objection(
            requirement="TRI-07", where="recipients", message="nobody is chosen: choose whom to ask, and why"
        )
    yield from _identifier_objections(enquiry)
    yield from _consent_objections(enquiry)
    for requirement, where, message in against_asking(form, day=london_day(now)):
        yield Objection(requirement=requirement, where=where, message=message)


def _identifier_objections(enquiry: Enquiry) -> Iterator[Objection]:
    for key, person in enquiry.form.persons.items():
        for scheme, number in person.identifiers.items():
            if not is_sound(scheme, number):
                yield Objection(
                    requirement="RFI-05",
                    where=f"persons.{key}.identifiers.{scheme}",
                    message="does not pass its own check: correct it, or leave it out",
                )


def _consent_objections(enquiry: Enquiry) -> Iterator[Objection]:
    consent = enquiry.form.consent
    for name in ("children", "parents", "other_contacts"):
        group = getattr(consent, name)
        if group.status not in (None, "given") and 0 < len((group.explanation or "").strip()) < MINIMUM_EXPLANATION:
            yield Objection(
                requirement="RFI-12",
                where=f"consent.{name}.explanation",
                message="too short: explain for this case, fully and clearly, why there is no consent",
            )


def objections_to_recipient(
    request: RequestForInformation, planned: Planned, party: Party | None, *, now: datetime
) -> Iterator[Objection]:
    """Give what stands against asking this recipient: its place in the agreement, the due time, and every gap."""
    if party is None:
        yield Objection(
            requirement="GOV-01",
            where=NOT_LISTED,
            message="not a party of the agreement in the area register; it can be asked nothing",
        )
        return
    if party.signatory not in MAY_BE_ASKED:
        yield Objection(
            requirement="GOV-01",
            where="signatory",
            message=f"not an active signatory of the agreement; the register says {party.signatory!r}",
        )
    if request.agreement.status != "active" and request.rag != RagRating.RED:
        yield Objection(
            requirement="GOV-01",
            where="agreement.status",
            message=f"the agreement is {request.agreement.status}; only a RED enquiry may go, as a recorded exception",
        )
    if not (planned.rationale or "").strip():
        yield Objection(requirement="TRI-07", where="rationale", message="say why this agency is asked and not another")
    if request.response_due_at is not None and request.response_due_at <= now:
        yield Objection(requirement="RFI-02", where="due", message="the response would be due in the past")
    for gap in gaps(request):
        yield Objection(requirement=gap.requirement, where=gap.where, message=gap.message)
