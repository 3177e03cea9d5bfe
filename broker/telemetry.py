"""The hub's figures for Prometheus: every metric in one table, every label from one list, no personal data by shape.

A label may be a participant, a lane, a kind, a code or a rating, and its values come from closed sets: a value that is
in none of them is shown as `unknown`. Thus a name in a header, in a thread id or in a class can become no label
(SEC-02), and no agency can make series without end.
Served on the loopback address unless told otherwise, by the client library's own threaded server.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from broker.alerts import HUB, AlertKind
from broker.expiries import EndingKind
from broker.topology import MONITOR
from broker.verify import CHECKS
from broker.watch.standing import Phase
from schemas.rating import RagRating
from schemas.routing import Lane
from schemas.stub import Event

ALLOWED_LABELS: Final = frozenset({"participant", "lane", "kind", "code", "rag"})
UNKNOWN: Final = "unknown"
LOOPBACK: Final = "127.0.0.1"
CODES: Final = frozenset({code for code, _, _ in CHECKS} | {"E99"})
_CLOSED: Final[Mapping[str, frozenset[str]]] = {
    "lane": frozenset(lane.value for lane in Lane),
    "kind": frozenset(word.value for words in (Event, Phase, AlertKind, EndingKind) for word in words),
    "code": CODES,
    "rag": frozenset(rating.value for rating in RagRating),
}
_OWN: Final = frozenset({HUB, MONITOR})
LATENCY: Final = (0.5, 1, 2, 5, 15, 60, 300, 900, 3600, 14_400)
ANSWER: Final = tuple(hours * 3600 for hours in (0.5, 1, 2, 4, 8, 16, 24, 48, 72, 120, 240))
APPEND: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)


@dataclass(frozen=True)
class Metric:
    """One metric: what it tells and by which labels. Histograms have buckets (seconds)."""

    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


COUNTERS: Final[Mapping[str, Metric]] = {
    "mash_stubs": Metric("Verified stubs entered in the ledger, by sender", ("participant", "lane", "kind")),
    "mash_stub_duplicates": Metric("Stubs that came again", ("lane",)),
    "mash_stubs_refused": Metric("Envelopes refused, by who brought them in", ("participant", "code")),
    "mash_alerts_raised": Metric("Alerts raised", ("participant", "kind")),
    "mash_alert_tellings_failed": Metric("Tellings of an alert that failed and are tried again"),
    "mash_ledger_waits": Metric("Times that a stub waited because the ledger did not answer"),
    "mash_watch_faults": Metric("Faults of the watch itself, survived"),
}
HISTOGRAMS: Final[Mapping[str, Metric]] = {
    "mash_stub_delay_seconds": Metric("From the sender's signature to the hub's ledger", ("lane",), LATENCY),
    "mash_ledger_append_seconds": Metric("Time to enter one stub durably", (), APPEND),
    "mash_answer_seconds": Metric("From request to answer, elapsed", ("participant", "rag"), ANSWER),
}
GAUGES: Final[Mapping[str, Metric]] = {
    "mash_requests": Metric("Requests by phase, by who was asked", ("participant", "rag", "kind")),
    "mash_time_to_breach_seconds": Metric("Until the soonest open request is due", ("participant", "rag")),
    "mash_oldest_unseen_seconds": Metric("Age of the oldest request that no person has seen", ("participant",)),
    "mash_participant_silent_seconds": Metric("Since a participant was last heard of", ("participant",)),
    "mash_alerts": Metric("Alerts that stand", ("kind",)),
    "mash_ends_in_seconds": Metric("Until a key, certificate or paper ends, the first", ("participant", "kind")),
    "mash_queue_messages": Metric("Messages that wait in a queue", ("participant", "lane")),
    "mash_queue_consumers": Metric("Consumers of a queue", ("participant", "lane")),
    "mash_dead_letters": Metric("Messages that no recipient could take"),
    "mash_tap_alive": Metric("Whether the watch reads a lane", ("lane",)),
    "mash_ledger_entries": Metric("Entries in the ledger"),
    "mash_ledger_up": Metric("Whether the ledger answers"),
    "mash_ledger_whole": Metric("Whether the last verification found every entry as it was written"),
    "mash_quarantine_rows": Metric("Rows in the quarantine"),
    "mash_directory_version": Metric("Version of the directory that the watch verifies by"),
    "mash_watch_round_timestamp_seconds": Metric("When the watch last looked at everything, Unix seconds"),
}


@dataclass(frozen=True)
class Sample:
    """One value of a gauge."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Telemetry:
    """The metrics of one watch. `know` tells which participants may be named."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._participants: frozenset[str] = _OWN
        self._counters = {
            name: Counter(name, one.help, one.labels, registry=self.registry) for name, one in COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(name, one.help, one.labels, registry=self.registry, buckets=one.buckets)
            for name, one in HISTOGRAMS.items()
        }
        self._gauges = _Gauges()
        self.registry.register(self._gauges)

    def know(self, participants: Iterable[str]) -> None:
        """Let these participants be named in labels, and no others."""
        self._participants = frozenset(participants) | _OWN

    def count(self, name: str, **labels: str) -> None:
        """Count one."""
        counter = self._counters[name]
        (counter.labels(**self._bounded(labels)) if labels else counter).inc()

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Take a duration into a histogram; a negative one counts as none."""
        histogram = self._histograms[name]
        (histogram.labels(**self._bounded(labels)) if labels else histogram).observe(max(seconds, 0.0))

    def show(self, samples: Iterable[Sample]) -> None:
        """Replace every gauge by `samples`, all at once: a scrape sees one moment."""
        bounded = [Sample(one.name, one.value, self._bounded(one.labels)) for one in samples]
        self._gauges.families = tuple(_families(bounded))

    def _bounded(self, labels: Mapping[str, str]) -> dict[str, str]:
        sets = {**_CLOSED, "participant": self._participants}
        return {name: value if value in sets[name] else UNKNOWN for name, value in labels.items()}


class _Gauges(Collector):
    """Shows what it was given last."""

    def __init__(self) -> None:
        self.families: tuple[GaugeMetricFamily, ...] = ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self.families


def _families(samples: Iterable[Sample]) -> Iterator[GaugeMetricFamily]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for one in samples:
        found.setdefault(one.name, {})[tuple(one.labels[name] for name in GAUGES[one.name].labels)] = one.value
    for name, values in found.items():
        family = GaugeMetricFamily(name, GAUGES[name].help, labels=GAUGES[name].labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        yield family


@contextmanager
def served(registry: CollectorRegistry, *, port: int, host: str = LOOPBACK) -> Iterator[Callable[[], int]]:
    """Serve the metrics for the block; gives a function that tells the port, which 0 leaves to the system."""
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield lambda: int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
