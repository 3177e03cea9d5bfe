"""Which of the hub's daily manifests an agency should have by now and has not. Pure.

A hub that is silenced says nothing, and one that lies may leave a day out: neither shows in what arrives, so what does
not arrive is counted here. The signed directory, which the hub cannot forge, says whether the hub owes manifests at
all; the first day owed is the first whole one since it did. One day more is looked back than the hub catches up.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final

from broker.calendar import LONDON
from schemas.directory import Directory

LATE_AT: Final = time(7)
"""London time of the next morning. The hub posts at 00:45; the rest is for one that was started anew in the night."""
LISTENED_FOR: Final = timedelta(minutes=5)
"""An adapter that was off takes in what waited first. Shorter than the silence after which an adapter starts anew."""
LOOKED_BACK: Final = 8


def are_owed(directory: Directory, *, participant: str) -> bool:
    """Say whether the hub owes this agency a manifest: the directory names a key of the hub's, and a pair of ours.

    A key of the hub's that has run out is no excuse: no manifest can be signed with it, and somebody has to know.
    """
    mine = [pair for pair in directory.pairs if participant in pair]
    return bool(directory.hub_keys) and any(directory.permits(*pair) for pair in mine)


def missing(here: Collection[date], *, owed_since: datetime, now: datetime) -> tuple[date, ...]:
    """List the days, oldest first, whose manifests are late at `now` and not `here`; days are London's."""
    local = now.astimezone(LONDON)
    last = local.date() - timedelta(days=1 if local.time() >= LATE_AT else 2)
    first = max(owed_since.astimezone(LONDON).date() + timedelta(days=1), last - timedelta(days=LOOKED_BACK - 1))
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(day for day in days if day not in here)
