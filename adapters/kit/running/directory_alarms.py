"""Tells an agency's people what a refresh of the directory found: each cause, for each participant, once a day.

An attack on the directory changes nothing that is used, so without this nobody would hear of it (SPEC 7.5).
A hub that cannot be reached is no alarm by itself: what matters is a directory that is overdue, and that is one.
"""

from typing import Final

from adapters.kit.store.alarms import Priority
from adapters.kit.store.store import Store
from broker.directory.client import Refreshed
from broker.directory.rules import Alarm, Freshness

CODE: Final = "directory"
OVERDUE: Final = "overdue"
# Everything else means that somebody is lying, or was deceived, about whom we talk to.
LOOK_TODAY: Final = frozenset({Alarm.RECORD_MISSING, Alarm.FROZEN})


async def tell_directory_alarms(store: Store, done: Refreshed) -> int:
    """Raise what a refresh found, and say how many alarms are new."""
    found = [(raised.alarm.value, raised.about, raised.alarm in LOOK_TODAY) for raised in done.alarms]
    found = [one for one in found if one[0] != Alarm.UNREACHABLE]
    if done.freshness is not Freshness.FRESH:
        found.append((OVERDUE, "", True))
    if not found:
        return 0
    async with store.transaction() as tx:
        new = 0
        for cause, about, can_wait in found:
            name = f"{CODE}/{cause}/{about}/{tx.now:%Y-%m-%d}"
            refs = {"cause": cause} | ({"participant": about} if about else {})
            priority = Priority.P2 if can_wait else Priority.P1
            new += await tx.alarm(name, priority=priority, code=f"{CODE}-{cause.replace('_', '-')}", refs=refs)
        return new
