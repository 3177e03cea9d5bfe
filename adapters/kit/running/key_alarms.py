"""Tells an agency's people about its own keys: what runs out, what does not fit, and what partners have not been given.

A running adapter makes its keys in time, but only a person hands the record in; until then partners seal to the old
ones, and after a week they can seal to none. Each cause is an alarm once a day.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from adapters.kit.keys.keyhealth import expiries, self_test
from adapters.kit.keys.keyring import Keyring
from adapters.kit.store.alarms import Priority
from adapters.kit.store.store import Store
from schemas.directory import AgencyRecord

AHEAD: Final = timedelta(days=1)
# Priority, code, and references without personal data.
Cause = tuple[Priority, str, dict[str, str]]


async def tell_key_alarms(store: Store, keyring: Keyring, *, seen: AgencyRecord | None, now: datetime) -> int:
    """Raise what is wrong with the keys, `seen` being our record as partners have it; say how many alarms are new."""
    causes = [*_of_keys(keyring, now), *_of_record(keyring, seen=seen, now=now)]
    if not causes:
        return 0
    async with store.transaction() as tx:
        new = 0
        for priority, code, refs in causes:
            name = "/".join((code, *refs.values(), f"{now:%Y-%m-%d}"))
            new += await tx.alarm(name, priority=priority, code=code, refs=refs)
        return new


def _of_keys(keyring: Keyring, now: datetime) -> Iterator[Cause]:
    for expiry in expiries(keyring, now):
        if expiry.is_warning:
            yield Priority.P2, "key-runs-out", {"use": expiry.use, "role": expiry.role}
    if self_test(keyring, now):
        yield Priority.P1, "key-does-not-fit", {}


def _of_record(keyring: Keyring, *, seen: AgencyRecord | None, now: datetime) -> Iterator[Cause]:
    """P1 where from tomorrow on partners could not seal to us, or would not believe what we sign."""
    if seen == keyring.directory_record():
        return
    tomorrow = int((now + AHEAD).timestamp())
    signs = seen is not None and any(key.covers(tomorrow) for key in seen.signing)
    opens = seen is not None and all(seen.prekey_of(role, tomorrow) for role in seen.roles)
    yield Priority.P2 if signs and opens else Priority.P1, "record-not-published", {}
