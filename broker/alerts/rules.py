"""What somebody has to be told about, as a pure decision over what the hub knows (SEC-03, SLA-08).

`judge` goes through a table of rules, each a small function from a view to alerts. A rule that fails is itself an alert
and silences no other.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from broker.alerts.clocks import awaited, governance, ladder
from broker.alerts.desk_rules import troubles, undesked
from broker.alerts.endings import endings
from broker.alerts.kinds import HUB, Alert, AlertKind, Urgency, View
from broker.watch.chains import ChainFaultKind
from broker.watch.standing import Phase, Standing, Unreceipted
from schemas.rating import RagRating
from schemas.routing import Lane

REFUSAL_STANDS: Final = timedelta(hours=1)
EQUIVOCATION_STANDS: Final = timedelta(days=14)
_EQUIVOCATION: Final = ("E06", "EQUIVOCATION")
_FORGED: Final = frozenset({"E00", "E05", "E09"})
"""A second recipient slipped in, another's name, a signature that does not hold: nobody honest sends these."""
_PHASES: Final[Mapping[Phase, AlertKind]] = {
    Phase.UNDELIVERED: AlertKind.UNDELIVERED,
    Phase.UNREAD: AlertKind.UNREAD,
    Phase.BREACHED: AlertKind.BREACHED,
}
_CHAIN_KINDS: Final[Mapping[ChainFaultKind, AlertKind]] = {
    ChainFaultKind.GAP: AlertKind.GAP,
    ChainFaultKind.FORK: AlertKind.FORK,
}

Rule = Callable[[View], Iterator[Alert]]


def judge(view: View) -> tuple[Alert, ...]:
    """Give every alert that should stand now, each key once."""
    found: dict[str, Alert] = {}
    for rule in RULES:
        try:
            found |= {alert.key: alert for alert in rule(view)}
        except Exception as fault:
            failed = Alert(AlertKind.RULE_FAILED, HUB, Urgency.NOW, code=f"{rule.__name__}:{type(fault).__name__}"[:40])
            found[failed.key] = failed
    return tuple(found.values())


def requests(view: View) -> Iterator[Alert]:
    """Alert on requests that are undelivered, unread or overdue (SLA-01, SEC-03)."""
    for one in view.standings:
        for concern in sorted(one.concerns):
            # A request that waits for its correction is the requester's to move.
            owing, other = one.responder, one.requester
            if concern is Phase.BREACHED and one.phase is not Phase.BREACHED:
                owing, other = other, owing
            yield Alert(
                _PHASES[concern],
                owing,
                _urgency(one),
                peer=other,
                reference=one.reference,
                code=one.rating.value,
                telephone=view.telephone(owing),
            )


def unreceipted(view: View) -> Iterator[Alert]:
    """Alert on messages without a receipt, one alert a pair."""
    pairs: dict[tuple[str, str], list[Unreceipted]] = {}
    for one in view.unreceipted:
        pairs.setdefault((one.sender, one.recipient), []).append(one)
    for (sender, recipient), some in pairs.items():
        urgent = any(one.lane is Lane.URGENT for one in some)
        yield Alert(
            AlertKind.UNRECEIPTED,
            recipient,
            Urgency.NOW if urgent else Urgency.TODAY,
            peer=sender,
            telephone=view.telephone(recipient),
            count=len(some),
        )


def silence(view: View) -> Iterator[Alert]:
    """Alert on members of whom nothing is heard."""
    for name in view.silent():
        yield Alert(AlertKind.SILENT, name, Urgency.TODAY, telephone=view.telephone(name))


def nobody_reading(view: View) -> Iterator[Alert]:
    """Alert on inboxes that hold a question and that nobody reads: a silent member, or a queue without a consumer."""
    unread = set(view.silent()) | _without_consumer(view)
    unseen = Counter(one.responder for one in view.standings if not one.is_over and one.seen_at is None)
    for name in sorted(unread & unseen.keys()):
        yield Alert(AlertKind.NOBODY_READING, name, Urgency.NOW, telephone=view.telephone(name), count=unseen[name])


def dead_letters(view: View) -> Iterator[Alert]:
    """Alert on any dead letter: a message that its recipient failed to take a hundred times."""
    if view.figures is not None and view.figures.dead:
        yield Alert(AlertKind.DEAD_LETTERED, HUB, Urgency.NOW, count=view.figures.dead)


def chains(view: View) -> Iterator[Alert]:
    """Alert on gaps and forks of a pair's chain (SEC-09)."""
    for fault in view.chain_faults:
        yield Alert(
            _CHAIN_KINDS[fault.kind],
            fault.sender,
            Urgency.NOW,
            peer=fault.recipient,
            telephone=view.telephone(fault.sender),
            count=fault.count,
        )


def unreconciled(view: View) -> Iterator[Alert]:
    """Alert on an agency whose books differed from the hub's when it last compared a daily manifest (M4)."""
    for one in view.unreconciled:
        yield Alert(
            AlertKind.UNRECONCILED,
            one.participant,
            Urgency.NOW,
            peer=one.first.recipient if one.first.sender == one.participant else one.first.sender,
            code=one.first.kind.value,
            telephone=view.telephone(one.participant),
            count=one.count,
        )


def refused(view: View) -> Iterator[Alert]:
    """Alert on what was refused within the hour; a directory shown differently to an agency stands for longer (M5)."""
    for tally in view.tallies:
        equivocal = (tally.code, tally.detail) == _EQUIVOCATION
        if view.now - tally.last_at >= (EQUIVOCATION_STANDS if equivocal else REFUSAL_STANDS):
            continue
        yield Alert(
            AlertKind.EQUIVOCATION if equivocal else AlertKind.REFUSED,
            tally.ingress_owner or HUB,
            Urgency.NOW if equivocal or tally.code in _FORGED else Urgency.TODAY,
            code=tally.code,
            telephone=view.telephone(tally.ingress_owner),
            count=tally.total,
        )


def contacts(view: View) -> Iterator[Alert]:
    """Alert on members whose duty desk nobody could ring (GOV-05)."""
    for name in view.members():
        if not view.telephone(name):
            yield Alert(AlertKind.NO_DUTY_CONTACT, name, Urgency.WEEK)


def calendars(view: View) -> Iterator[Alert]:
    """Alert on calendars that do not know the holidays of this year or the next."""
    for year in (view.now.year, view.now.year + 1):
        for name in view.calendars.uncovered(year):
            whose = HUB if name == "area" else name
            urgency = Urgency.TODAY if year == view.now.year else Urgency.WEEK
            yield Alert(AlertKind.CALENDAR, whose, urgency, code=str(year))


def floods(view: View) -> Iterator[Alert]:
    """Alert on a participant that began more threads than are followed (M16)."""
    for name, count in sorted(view.unfollowed.items()):
        yield Alert(AlertKind.FLOOD, name, Urgency.NOW, telephone=view.telephone(name), count=count)


def the_watch_itself(view: View) -> Iterator[Alert]:
    """Alert on whatever keeps the watch from seeing: nobody else would notice."""
    health = view.health
    for lane in health.deaf:
        yield Alert(AlertKind.WATCH_DEAF, HUB, Urgency.NOW, code=lane.value)
    for kind, code in (
        (AlertKind.HUB_UNREADABLE, "figures" if health.figures_failed else ""),
        (AlertKind.LEDGER_BROKEN, health.ledger_fault),
        (AlertKind.DIRECTORY, health.directory_fault),
        (AlertKind.CLOCK, "stepped" if health.clock_stepped else ""),
    ):
        if code:
            yield Alert(kind, HUB, Urgency.NOW, code=code[:40])


RULES: Final[tuple[Rule, ...]] = (
    requests,
    unreceipted,
    silence,
    nobody_reading,
    dead_letters,
    chains,
    unreconciled,
    refused,
    contacts,
    undesked,
    troubles,
    calendars,
    floods,
    endings,
    ladder,
    awaited,
    governance,
    the_watch_itself,
)


def _urgency(one: Standing) -> Urgency:
    return Urgency.NOW if one.urgent or one.rating is RagRating.RED else Urgency.TODAY


def _without_consumer(view: View) -> set[str]:
    if view.figures is None:
        return set()
    return {name for (name, _), consumers in view.figures.consumers.items() if consumers == 0}
