"""Alerts on timers that have fired: half of the time gone, four fifths, a quarter over it; and clocks of governance.

An overdue answer is told to whoever waits for it as well: a decision may be taken without it (SLA-09).

Of one request the gravest stands alone: a warning takes the nudge's place, and a breach has an alert of its own. They
are over when the request is answered or closed, because then its timers lapse (SLA-08).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from broker.alerts.kinds import HUB, Alert, AlertKind, Urgency, View
from broker.sla import TimerKind
from broker.sla.started import SUBJECT, read_subject
from broker.timers.keeper import Fired
from broker.timers.requests import Subject
from broker.watch.standing import Phase, Standing
from schemas.rating import RagRating

_GRAVEST_FIRST: Final[Mapping[TimerKind, AlertKind]] = {
    TimerKind.ESCALATION: AlertKind.ESCALATED,
    TimerKind.WARNING: AlertKind.WARNING,
    TimerKind.NUDGE: AlertKind.NUDGE,
}
_UNTIL_THE_BREACH: Final = frozenset({AlertKind.WARNING, AlertKind.NUDGE})


def ladder(view: View) -> Iterator[Alert]:
    """Alert on requests whose time is running out, or has run out by far."""
    fired: dict[str, set[str]] = {}
    for one in view.fired:
        fired.setdefault(one.subject, set()).add(one.kind)
    for standing in view.standings:
        kinds = fired.get(str(Subject.of(standing)), frozenset[str]())
        kind = next((alert for timer, alert in _GRAVEST_FIRST.items() if timer.value in kinds), None)
        if kind is not None and not (kind in _UNTIL_THE_BREACH and Phase.BREACHED in standing.concerns):
            yield _of_request(kind, standing, view)


def awaited(view: View) -> Iterator[Alert]:
    """Alert the asker's desk on an answer that is overdue; the telephone is that of the desk which owes it."""
    for standing in view.standings:
        if standing.phase is Phase.BREACHED:
            alert = _of_request(AlertKind.AWAITED, standing, view)
            yield replace(alert, participant=standing.requester, peer=standing.responder)


def governance(view: View) -> Iterator[Alert]:
    """Alert on clocks that somebody started by hand: an incident at 24, 48, 60 and 72 hours (SLA-11), others."""
    latest: dict[str, Fired] = {}
    for one in (one for one in view.fired if one.subject.startswith(SUBJECT)):
        if one.subject not in latest or latest[one.subject].due_at < one.due_at:
            latest[one.subject] = one
    for subject, one in latest.items():
        name, kind, whose = read_subject(subject)
        yield Alert(
            AlertKind.INCIDENT,
            whose or HUB,
            Urgency.NOW if kind.cannot_wait else Urgency.TODAY,
            reference=name,
            code=one.kind[:40],
            telephone=view.telephone(whose),
        )


def _of_request(kind: AlertKind, standing: Standing, view: View) -> Alert:
    urgent = standing.urgent or standing.rating is RagRating.RED
    return Alert(
        kind,
        standing.responder,
        Urgency.NOW if urgent else Urgency.TODAY,
        peer=standing.requester,
        reference=standing.reference,
        code=standing.rating.value,
        telephone=view.telephone(standing.responder),
    )
