"""The gauges of one moment, from what the watch knows then; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from broker.alerts import Alert, View
from broker.telemetry import Sample
from broker.watch.standing import Standing, time_to_breach
from schemas.routing import Lane


@dataclass(frozen=True)
class Ledgers:
    """What is shown about the ledger and the watch besides the view."""

    entries: int
    quarantined: int
    is_up: bool
    is_whole: bool
    alive: frozenset[Lane]


def samples(view: View, alerts: Iterable[Alert], ledgers: Ledgers) -> Iterator[Sample]:
    """Give every gauge at the view's moment."""
    yield from _of_requests(view)
    yield from _of_figures(view)
    for name in view.members():
        quiet = view.now - view.heard.get(name, view.began_at)
        yield Sample("mash_participant_silent_seconds", quiet.total_seconds(), {"participant": name})
    yield from _of_endings(view)
    for kind, count in Counter(alert.kind for alert in alerts).items():
        yield Sample("mash_alerts", count, {"kind": kind.value})
    for lane in Lane:
        yield Sample("mash_tap_alive", lane in ledgers.alive, {"lane": lane.value})
    yield Sample("mash_ledger_entries", ledgers.entries)
    yield Sample("mash_ledger_up", ledgers.is_up)
    yield Sample("mash_ledger_whole", ledgers.is_whole)
    yield Sample("mash_quarantine_rows", ledgers.quarantined)
    yield Sample("mash_directory_version", view.directory.version)
    yield Sample("mash_watch_round_timestamp_seconds", view.now.timestamp())


def _of_requests(view: View) -> Iterator[Sample]:
    phases = Counter((one.responder, one.rating.value, one.phase.value) for one in view.standings)
    for (participant, rag, kind), count in phases.items():
        yield Sample("mash_requests", count, {"participant": participant, "rag": rag, "kind": kind})
    soonest: dict[tuple[str, str], float] = {}
    oldest: dict[str, float] = {}
    for one in (one for one in view.standings if not one.is_over):
        place = one.responder, one.rating.value
        left = time_to_breach(one, view.now).total_seconds()
        soonest[place] = min(left, soonest.get(place, left))
        oldest[one.responder] = max(_unseen_for(one, view), oldest.get(one.responder, 0.0))
    for (participant, rag), left in soonest.items():
        yield Sample("mash_time_to_breach_seconds", left, {"participant": participant, "rag": rag})
    for participant, age in oldest.items():
        yield Sample("mash_oldest_unseen_seconds", age, {"participant": participant})


def _of_endings(view: View) -> Iterator[Sample]:
    """Give what ends first of each kind; what never was has ended."""
    first: dict[tuple[str, str], datetime] = {}
    for one in view.endings():
        first.setdefault((one.whose, one.kind.value), one.at or view.now)
    for (participant, kind), at in first.items():
        left = (at - view.now).total_seconds()
        yield Sample("mash_ends_in_seconds", left, {"participant": participant, "kind": kind})


def _unseen_for(one: Standing, view: View) -> float:
    return 0.0 if one.seen_at else (view.now - one.issued_at).total_seconds()


def _of_figures(view: View) -> Iterator[Sample]:
    """Give the hub's own figures; when they could not be read there are none, and an alert says so."""
    if view.figures is None:
        return
    yield Sample("mash_dead_letters", view.figures.dead)
    for name, values in (
        ("mash_queue_messages", view.figures.waiting),
        ("mash_queue_consumers", view.figures.consumers),
    ):
        for (participant, lane), value in values.items():
            yield Sample(name, value, {"participant": participant, "lane": lane.value})
