"""An answer given by telephone: what has to be known of the call, and the answer that is made of it (RSP-09). Pure."""

import secrets
from datetime import datetime

from adapters.la.console.arrived import Arrived, PhoneAnswer
from adapters.la.console.enquiry import Enquiry, Issued
from schemas.content.base import Content
from schemas.content.codes import NATURES
from schemas.content.marking import Marking
from schemas.content.response import Item, Responder, Response, TraceStatus


class Spoken(Content):
    """What was said on the telephone, and by whom (RSP-09)."""

    speaker: str
    speaker_role: str
    telephone: str
    said: str
    nature: str
    subjects: tuple[str, ...]
    call_back_verified: bool
    not_overheard: bool


def spoken_objections(enquiry: Enquiry, spoken: Spoken) -> list[str]:
    """Say what is missing before what was said counts as an answer."""
    reasons = [
        f"RSP-09: {name.replace('_', ' ')} is missing"
        for name in ("speaker", "speaker_role", "telephone", "said")
        if not str(getattr(spoken, name)).strip()
    ]
    if not spoken.call_back_verified:
        reasons.append("RSP-09: ring back on a number from the register before recording what was said")
    if not spoken.not_overheard:
        reasons.append("SEC-10: take the call where it cannot be overheard")
    if spoken.nature not in NATURES:
        reasons.append(f"RSP-03: the nature is one of {', '.join(sorted(NATURES))}")
    unknown = [key for key in spoken.subjects if key not in enquiry.form.persons]
    if unknown or not spoken.subjects:
        reasons.append(f"RSP-05: name persons of the enquiry (unknown: {', '.join(unknown) or 'none given'})")
    return reasons


def from_telephone(enquiry: Enquiry, issued: Issued, spoken: Spoken, *, at: datetime, by: str) -> Arrived:
    """Make an answer of what was said. Nobody said who else may have it, so nobody may (SEF §2.6)."""
    marking = Marking(
        nature=spoken.nature, originator=issued.participant, holder=issued.participant, chain=(issued.participant,)
    )
    item = Item(
        item=secrets.token_urlsafe(9),
        category="social_care",
        wording=spoken.said,
        summarised=False,
        subjects=spoken.subjects,
        marking=marking,
        source="telephone",
    )
    response = Response(
        enquiry=enquiry.reference,
        rfi=issued.rfi,
        as_at=at,
        responder=Responder(name=spoken.speaker, role=spoken.speaker_role, telephone=spoken.telephone),
        traces=dict.fromkeys(spoken.subjects, TraceStatus.TRACE),
        items=(item,),
    )
    taken = PhoneAnswer(taken_by=by, call_back_verified=True, not_overheard=True)
    return Arrived(at=at, response=response, by_phone=taken)
