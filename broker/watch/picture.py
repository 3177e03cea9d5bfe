"""The picture that the ledger's entries add up to: requests, chains, and who was last heard of when.

A fold: `add` each entry once, in the order of the ledger, and ask at any `now`. Nothing else goes in, so a process that
starts anew and replays the ledger has the same picture (`standing` does it in one call).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from broker.calendars import Calendars
from broker.ledger.chain import Passage
from broker.watch.chains import ChainFault, Chains
from broker.watch.standing import (
    Standing,
    Unreceipted,
    by_time_to_breach,
    holds_until,
    standings_in,
    unreceipted_in,
)
from broker.watch.threads import Conversation, Conversations


@dataclass(frozen=True)
class Surveyed:
    """One thread: the requests in it, and what in it should have been receipted.

    It holds at every moment from `since` until just before `until`, as long as nothing more is said in the thread.
    """

    version: int
    since: datetime
    until: datetime
    standings: tuple[Standing, ...]
    unreceipted: tuple[Unreceipted, ...]

    def holds(self, version: int, now: datetime) -> bool:
        """Say whether the thread still stands so."""
        return self.version == version and self.since <= now < self.until


class Picture:
    """What the hub knows at any moment from what passed."""

    def __init__(self, calendars: Calendars, passages: Iterable[Passage] = ()) -> None:
        self.entries = 0
        self._calendars = calendars
        self._conversations = Conversations()
        self._chains = Chains()
        self._heard: dict[str, datetime] = {}
        self._known: WeakKeyDictionary[Conversation, Surveyed] = WeakKeyDictionary()
        for passage in passages:
            self.add(passage)

    def add(self, passage: Passage) -> None:
        """Add the next entry of the ledger."""
        self.entries = passage.number
        self._conversations.add(passage)
        self._chains.add(passage)
        sender = passage.stub.from_
        self._heard[sender] = max(passage.received_at, self._heard.get(sender, passage.received_at))

    def standing(self, now: datetime) -> tuple[Standing, ...]:
        """Give every request that is not forgotten, sorted by time to breach."""
        return by_time_to_breach(one for some in self.survey(now) for one in some.standings)

    def survey(self, now: datetime) -> Iterator[Surveyed]:
        """Work everything out thread by thread, so that a caller may let others run in between."""
        return (self._surveyed(each, now) for each in self._conversations)

    def chain_faults(self, now: datetime) -> tuple[ChainFault, ...]:
        """Give the gaps and forks that stand at `now`."""
        return tuple(self._chains.faults(now))

    @property
    def unfollowed(self) -> Mapping[str, int]:
        """How many threads were too many to follow, by who began them."""
        return self._conversations.unfollowed

    @property
    def heard(self) -> Mapping[str, datetime]:
        """When each participant was last heard of, by the hub's own clock."""
        return self._heard

    def _surveyed(self, conversation: Conversation, now: datetime) -> Surveyed:
        """Work a thread out, but only when something was said in it or a moment has come that changes how it stands."""
        known = self._known.get(conversation)
        if known is None or not known.holds(conversation.version, now):
            known = self._known[conversation] = survey(conversation, now=now, calendars=self._calendars)
        return known


def survey(conversation: Conversation, *, now: datetime, calendars: Calendars) -> Surveyed:
    """Work a thread out as it stands at `now`."""
    standings = tuple(standings_in(conversation, now=now, calendars=calendars))
    return Surveyed(
        version=conversation.version,
        since=now,
        until=holds_until(conversation.notes, standings, now=now),
        standings=standings,
        unreceipted=tuple(unreceipted_in(conversation, now=now)),
    )


def standing(passages: Iterable[Passage], *, now: datetime, calendars: Calendars) -> tuple[Standing, ...]:
    """Give every request's standing at `now` from the ledger's entries alone."""
    return Picture(calendars, passages).standing(now)
