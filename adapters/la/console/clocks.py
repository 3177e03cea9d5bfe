"""The clocks of an enquiry, put together from `broker.sla`: due times, telephone prompts, feedback. Pure."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from adapters.la.console.enquiry import Enquiry, Issued, PhonePrompt
from broker.calendar import WorkingCalendar
from broker.sla import is_urgent, phone_call_due, rerated_due, response_due
from schemas.rating import RagRating


def due_and_urgency(
    rag: str, *, issued_at: datetime, calendar: WorkingCalendar, sooner: datetime | None = None
) -> tuple[datetime, bool]:
    """Give the due time of a request issued now, and whether it is urgent; `sooner` is a time set by hand (RFI-02)."""
    due = response_due(RagRating(rag), issued_at, calendar=calendar)
    due = due if sooner is None else min(due, sooner)
    return due, is_urgent(issued_at, due, calendar=calendar)


def rerated(
    enquiry: Enquiry, rag: str, *, at: datetime, calendar: WorkingCalendar, unanswered: Iterable[str]
) -> tuple[Issued, ...]:
    """Give the requests with the due times of the unanswered ones computed anew, never later (SLA-10)."""
    waiting = frozenset(unanswered)
    return tuple(
        _sooner(issued, rag, at=at, calendar=calendar) if issued.rfi in waiting else issued for issued in enquiry.issued
    )


def _sooner(issued: Issued, rag: str, *, at: datetime, calendar: WorkingCalendar) -> Issued:
    due = rerated_due(issued.due_at, at, RagRating(rag), calendar=calendar)
    return issued.model_copy(update={"due_at": due, "urgent": is_urgent(at, due, calendar=calendar)})


def prompts(
    issued: Iterable[Issued],
    rag: str,
    *,
    cause: Literal["issue", "rerating"],
    at: datetime,
    calendar: WorkingCalendar,
) -> tuple[PhonePrompt, ...]:
    """Give one telephone prompt for each urgent request (SLA-02)."""
    due = phone_call_due(RagRating(rag), at, calendar=calendar)
    return tuple(
        PhonePrompt(prompt=secrets.token_urlsafe(6), participant=one.participant, cause=cause, raised_at=at, due_at=due)
        for one in issued
        if one.urgent
    )
