"""When keys are made and erased: pure decisions over what there is and the time.

A signing key lives 90 days and its successor is made 14 days before its end. A prekey is published for a week;
its private part is kept for as long as a message sealed to it may still arrive, 14 days and 2 more, and then erased.
Hence the promise: whoever takes all keys today reads nothing that was sealed more than 23 days ago (7 + 14 + 2).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.kit.keys.keyfile import StoredKey, StoredRole


def _seconds(**length: int) -> int:
    return int(timedelta(**length).total_seconds())


IDENTITY_LIFE: Final = _seconds(days=730)
SIGNING_LIFE: Final = _seconds(days=90)
SIGNING_OVERLAP: Final = _seconds(days=14)
PREKEY_LIFE: Final = _seconds(days=7)
PREKEY_OVERLAP: Final = _seconds(days=2)
KEPT_AFTER: Final = _seconds(days=14 + 2)
FORWARD_SECRECY: Final = PREKEY_LIFE + KEPT_AFTER


@dataclass(frozen=True)
class Wanted:
    """A key that ought to exist; `role` is a role's id for a prekey and None otherwise."""

    use: str
    role: str | None
    not_before: int
    not_after: int


def _successors(keys: Iterable[StoredKey], *, wanted: Wanted, overlap: int, until: int) -> list[Wanted]:
    """Give the chain of keys that is missing so that one is valid at every moment up to `until`."""
    life = wanted.not_after - wanted.not_before
    missing: list[Wanted] = []
    ends = max((key.not_after for key in keys), default=wanted.not_before)
    while ends <= until:
        starts = max(ends - overlap, wanted.not_before)
        ends = starts + life
        missing.append(Wanted(wanted.use, wanted.role, starts, ends))
    return missing


def keys_due(
    keys: Iterable[StoredKey], *, roles: Iterable[StoredRole], now: int, revoked: frozenset[str], ahead: int = 0
) -> list[Wanted]:
    """Say which keys must be made at `now` (Unix seconds) so that none is missing until `ahead` seconds from now."""
    living = [key for key in keys if key.id not in revoked and key.not_after > now]
    due: list[Wanted] = []
    signing = [key for key in living if key.use == "signing"]
    first = Wanted("signing", None, now, now + SIGNING_LIFE)
    due += _successors(signing, wanted=first, overlap=SIGNING_OVERLAP, until=now + max(ahead, SIGNING_OVERLAP))
    for role in roles:
        prekeys = [key for key in living if key.use == "prekey" and key.role == role.id]
        first = Wanted("prekey", role.id, now, now + PREKEY_LIFE)
        due += _successors(prekeys, wanted=first, overlap=0, until=now + max(ahead, PREKEY_OVERLAP))
    return due


def is_to_be_erased(key: StoredKey, *, now: int) -> bool:
    """Say whether a private key has outlived every message that could need it."""
    if key.use == "prekey":
        return now >= key.not_after + KEPT_AFTER
    return key.use == "signing" and now >= key.not_after
