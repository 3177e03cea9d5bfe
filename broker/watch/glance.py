"""What one round of the watch saw, as it is handed to whoever looks on: the metrics, the operations page."""

from collections.abc import Callable
from dataclasses import dataclass

from broker.alerts import Alert, View
from broker.watch.samples import Ledgers


@dataclass(frozen=True)
class Glance:
    """One moment: the view, the alerts that stand on it, and how ledger and tap are."""

    view: View
    alerts: tuple[Alert, ...]
    ledgers: Ledgers


Onlooker = Callable[[Glance], None]
"""Is called in every round, in the watch's own loop: it takes note and returns at once. What it raises is survived."""
