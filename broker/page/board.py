"""One moment as the pages show it: what the watch saw, and what the book of alerts says about it.

Pure. An alert of the glance is matched with its row of the book by its key. Where the book could not be read, alerts
are shown as not yet seen: an alert must not vanish with the database that would have said who has seen it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from broker.alerts import HUB, Alert, AlertKind, Urgency, View
from broker.alerts.listing import Listed
from broker.page import sentences
from broker.page.sentences import Sentence
from broker.watch.glance import Glance

THE_HUB: Final = "The hub itself"
STALE_AFTER: Final = timedelta(seconds=30)
"""The watch looks every second; a moment older than this is not called the present."""
_SOONEST: Final = (Urgency.NOW, Urgency.TODAY, Urgency.WEEK)


@dataclass(frozen=True)
class Raised:
    """An alert that stands, with its row of the book where that is known."""

    alert: Alert
    row: Listed | None = None

    @property
    def is_seen(self) -> bool:
        """Say whether a person has said that it is seen."""
        return self.row is not None and self.row.acknowledgement is not None

    @property
    def since(self) -> datetime | None:
        """Say when it was raised."""
        return self.row.entry.raised_at if self.row else None


@dataclass(frozen=True)
class Board:
    """One moment. `rows` are the standing rows of the book, or None if it could not be read. `shown_at`: the clock."""

    glance: Glance
    shown_at: datetime
    rows: tuple[Listed, ...] | None = None

    @property
    def view(self) -> View:
        """Give what the watch saw."""
        return self.glance.view

    @property
    def is_stale(self) -> bool:
        """Say whether the watch has not looked for too long."""
        return self.shown_at - self.view.now > STALE_AFTER

    @cached_property
    def raised(self) -> tuple[Raised, ...]:
        """Give the alerts that stand: what cannot wait first, of those the gravest, and then the oldest."""
        by_key = {row.entry.alert.key: row for row in self.rows or ()}
        found = [Raised(alert, by_key.get(alert.key)) for alert in self.glance.alerts]
        return tuple(sorted(found, key=self._place))

    def _place(self, one: Raised) -> tuple[int, int, datetime]:
        soon = _SOONEST.index(one.alert.urgency)
        return soon, sentences.gravity(one.alert), one.since or self.view.now

    def name(self, participant: str) -> str:
        """Give an organisation's name from the directory, or its id where there is none."""
        if participant in ("", HUB):
            return THE_HUB if participant else ""
        record = self.view.directory.participant(participant)
        return record.name if record else participant

    def sentence(self, alert: Alert) -> Sentence:
        """Say what an alert means."""
        sent_back = alert.kind is AlertKind.BREACHED and (alert.reference, alert.participant) in self._askers
        return sentences.sentence(alert, peer=self.name(alert.peer), sent_back=sent_back)

    @cached_property
    def _askers(self) -> frozenset[tuple[str, str]]:
        return frozenset((one.reference, one.requester) for one in self.view.standings if not one.is_over)
