"""Who is to be told of an alert now: the escalation ladder as a pure decision over what was told so far (SLA-08).

It guarantees: one rung at a time, each at most once for an alert, the next when nobody has acknowledged within the
patience of its urgency; after a long sleep one rung is told and not all of them at once. What the time of a request
has not yet earned climbs no further than its own rungs; where none of these can be told, the next one stands in.
A rung that could not be reached by any of its ways is not waited for. Nobody on leave or outside hours is told; what
cannot wait (`Urgency.NOW`) goes to the out-of-hours routes when no post that is left is on duty. Where nobody can be
told in time, that is said.
It refuses to know addresses, servers and rows; time, desk and history are arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from broker.alerts.desks import LADDER, OUT_OF_HOURS, Desk, Duty, Post
from broker.alerts.kinds import AlertKind, Urgency
from broker.calendar import NeverOpenError
from broker.sla import Allowance, Contact, working_days

# sla.md: at the breach of a request the SPOC is called, not the contact officer who was called before it.
FIRST_RUNG: Final[Mapping[AlertKind, Contact]] = {
    AlertKind.BREACHED: Contact.SPOC,
    AlertKind.ESCALATED: Contact.AGENCY_LEAD,
}
# sla.md: 50 % nudge, 80 % warn the contact officer; who comes after these is told by the breach. The asker's own desk
# is told of that breach so that somebody may go on without the answer (SLA-09), not so that its lead may hear of it.
LAST_RUNG: Final[Mapping[AlertKind, Contact]] = {
    AlertKind.NUDGE: Contact.CONTACT_OFFICER,
    AlertKind.WARNING: Contact.DEPUTY,
    AlertKind.AWAITED: Contact.DEPUTY,
}
HORIZON: Final[Mapping[Urgency, Allowance]] = {Urgency.TODAY: working_days(1), Urgency.WEEK: working_days(5)}
"""How long an alert that is not for now may wait for somebody to come on duty."""


class Why(StrEnum):
    """Why nobody can be told."""

    NO_CONTACTS = "no_contacts"
    NOBODY_ON_DUTY = "nobody_on_duty"
    ALL_WAYS_FAIL = "all_ways_fail"


@dataclass(frozen=True)
class Step:
    """A rung that has been told. `is_vain`: every way of reaching it has failed so far."""

    rung: str
    at: datetime
    is_vain: bool = False


@dataclass(frozen=True)
class Tell:
    """Tell these posts of this rung now; no post for the out-of-hours rung, whose routes are the desk's own."""

    rung: str
    posts: tuple[Post, ...] = ()


@dataclass(frozen=True)
class Wait:
    """Nothing is to be told before `until`."""

    until: datetime


@dataclass(frozen=True)
class Nobody:
    """Nobody can be told in time; somebody else has to see to it."""

    why: Why


@dataclass(frozen=True)
class RanOut:
    """Everybody who may be told has been told, and their time has run out."""


Decision = Tell | Wait | Nobody | RanOut


@dataclass(frozen=True)
class Case:
    """One alert that stands and is not acknowledged. `since`: when it was raised; `steps`: told so far, in order."""

    kind: AlertKind
    urgency: Urgency
    since: datetime
    steps: tuple[Step, ...] = ()


def decide(case: Case, *, desk: Desk, duty: Duty, now: datetime) -> Decision:
    """Decide what is to be done about an unacknowledged alert at `now`."""
    if desk.is_empty:
        return Nobody(Why.NO_CONTACTS)
    last = case.steps[-1] if case.steps else None
    if last is not None and not last.is_vain:
        lapses = lapses_at(case, last, desk=desk, duty=duty)
        if now < lapses:
            return Wait(lapses)
    return _next_rung(case, desk, now) or _nobody_left(case, desk, duty, now)


def lapses_at(case: Case, step: Step, *, desk: Desk, duty: Duty) -> datetime:
    """Give when the patience with a rung ends; office time is the desk's own (SLA-07), or the area's if it has none."""
    patience = duty.patience[case.urgency]
    try:
        return patience.after(step.at, calendar=desk.calendar)
    except NeverOpenError:
        return patience.after(step.at, calendar=duty.hub.calendar)


def has_lapsed(case: Case, *, desk: Desk, duty: Duty, now: datetime) -> bool:
    """Say whether some rung was told, had its time, and nobody acknowledged; a nudge lapses into the warning alone."""
    if case.kind is AlertKind.NUDGE:
        return False
    reached = [step for step in case.steps if not step.is_vain]
    return bool(reached) and now >= lapses_at(case, reached[0], desk=desk, duty=duty)


def ladder_of(kind: AlertKind) -> Sequence[Contact]:
    """Give the rungs in the order in which this kind of alert climbs them; those below its first come last or never."""
    first = LADDER.index(FIRST_RUNG.get(kind, LADDER[0]))
    if kind in LAST_RUNG:
        return LADDER[first : LADDER.index(LAST_RUNG[kind]) + 1]
    return (*LADDER[first:], *LADDER[:first])


def _rungs_of(case: Case) -> Sequence[Contact]:
    """Give the rungs that may be told: those of the ladder, and the others while none of these has been reached."""
    ladder = ladder_of(case.kind)
    return ladder if _is_reached(case) else (*ladder, *(rung for rung in LADDER if rung not in ladder))


def _is_reached(case: Case) -> bool:
    return any(not step.is_vain for step in case.steps)


def _next_rung(case: Case, desk: Desk, now: datetime) -> Tell | None:
    told = {step.rung for step in case.steps}
    for rung in _rungs_of(case):
        posts = tuple(post for post in desk.on_rung(rung) if post.is_on_duty(now, calendar=desk.calendar))
        if posts and rung.value not in told:
            return Tell(rung.value, posts)
    is_over = case.kind in LAST_RUNG and _is_reached(case)
    wakes = case.urgency is Urgency.NOW and not is_over
    return Tell(OUT_OF_HOURS) if wakes and desk.out_of_hours and OUT_OF_HOURS not in told else None


def _nobody_left(case: Case, desk: Desk, duty: Duty, now: datetime) -> Decision:
    """Decide where no post that is left is on duty: wait for one, or say that nobody can be told."""
    told = {step.rung for step in case.steps}
    rungs = _rungs_of(case)
    left = [post for post in desk.posts if post.rung in rungs and post.rung.value not in told]
    coming = [moment for post in left if (moment := post.next_on_duty(now, calendar=desk.calendar))]
    if _is_reached(case):
        return Wait(min(coming)) if coming else RanOut()
    horizon = HORIZON.get(case.urgency)
    if horizon and coming and min(coming) <= horizon.after(case.since, calendar=duty.hub.calendar):
        return Wait(min(coming))
    return Nobody(Why.ALL_WAYS_FAIL if case.steps else Why.NOBODY_ON_DUTY)
