"""What is wrong with telling people, as a pure decision: each trouble becomes an alert of its own at the hub's desk.

A way that fails, nobody who can be told, an alert that nobody acknowledged in time, a courier that stands still.
It guarantees: a trouble names a desk, a rung, a way and a fault, and no address; the hub's troubles with its own desk
make no further troubles, so that one broken mail server is one alert a way and not an avalanche.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from broker.alerts.desks import Duty
from broker.alerts.escalation import Case, Nobody, decide, has_lapsed
from broker.alerts.kinds import HUB, AlertKind, Trouble, Urgency
from broker.alerts.tellings import OpenCase
from broker.alerts.ways import CANARY, FailingWay, ways_of

KINDS: Final = frozenset({AlertKind.NOT_TOLD, AlertKind.NOBODY_TO_TELL, AlertKind.UNACKNOWLEDGED})


def of_duty_file(fault: str) -> Trouble:
    """Say that the newest duty file is not in use, and why: `unreadable`, `refused` or `secret`."""
    return Trouble(AlertKind.DUTY_FILE, HUB, Urgency.TODAY, code=fault)


STALLED: Final = Trouble(AlertKind.NOT_TOLD, HUB, Urgency.NOW, code="courier.stalled")


def case_of(one: OpenCase) -> Case:
    """Give what an escalation is decided on."""
    return Case(one.entry.alert.kind, one.entry.alert.urgency, one.entry.raised_at, one.steps())


def troubles(
    cases: Iterable[OpenCase], failing: Iterable[FailingWay], *, duty: Duty, now: datetime
) -> tuple[Trouble, ...]:
    """Give every trouble there is at `now`."""
    found = (*_of_ways(failing, duty), *(trouble for one in cases for trouble in _seen_to(one, duty, now)))
    return tuple(dict.fromkeys(found))


def _seen_to(one: OpenCase, duty: Duty, now: datetime) -> tuple[Trouble, ...]:
    """Decide one case; one that cannot be decided is a trouble itself and hides no other."""
    try:
        return tuple(_of_case(one, duty, now))
    except Exception:
        alert = one.entry.alert
        where = (alert.participant, alert.urgency, alert.reference)
        return (Trouble(AlertKind.NOBODY_TO_TELL, *where, code="undecidable"),)


def _of_ways(failing: Iterable[FailingWay], duty: Duty) -> Iterator[Trouble]:
    named = {name for name, _ in ways_of(duty)} | ({CANARY} if duty.has_canary else set())
    for one in failing:
        if one.name in named:
            code = ".".join((one.fault.value, one.name.way.value, one.name.rung))
            urgency = Urgency.NOW if one.name.desk == HUB else Urgency.TODAY
            yield Trouble(AlertKind.NOT_TOLD, one.name.desk, urgency, code=code)


def _of_case(one: OpenCase, duty: Duty, now: datetime) -> Iterator[Trouble]:
    alert = one.entry.alert
    if alert.kind in KINDS:
        return
    desk, case = duty.desk(alert.participant), case_of(one)
    decision = decide(case, desk=desk, duty=duty, now=now)
    if isinstance(decision, Nobody):
        why = decision.why.value
        yield Trouble(AlertKind.NOBODY_TO_TELL, desk.name, alert.urgency, reference=alert.reference, code=why)
    elif desk.name != HUB and has_lapsed(case, desk=desk, duty=duty, now=now):
        kind = alert.kind.value
        yield Trouble(AlertKind.UNACKNOWLEDGED, desk.name, alert.urgency, reference=alert.reference, code=kind)
