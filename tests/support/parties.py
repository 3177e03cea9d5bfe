"""Synthetic participants with real keys, for any test that seals or opens.

    police = make_party("testford-police", kind="police", now=NOW)
    council = make_party("testford-la", kind="la", now=NOW)
    directory = make_directory(police, council)
    sealed = seal(outgoing, keys=police.sender(), directory=directory, chain=Chain(1, bytes(32)), now=NOW)

Keys are made for `weeks` ahead, so that a test may let time pass without publishing again.
"""

import shutil
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from adapters.kit.keys.in_use import RecipientKeys, SenderKeys
from adapters.kit.keys.keyring import ROLES, Keyring
from adapters.kit.keys.protectors import Cost, PassphraseProtector
from schemas.directory import AgencyRecord, Directory, Pair

NOW = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
CHEAP = Cost(passes=1, memory=8192)
ALL_ROLES = tuple(ROLES)


def cheap_protector(words: str = "synthetic passphrase") -> PassphraseProtector:
    """Protect at the lowest cost that libsodium accepts: tests make many keyrings."""
    return PassphraseProtector(words, cost=CHEAP)


@dataclass(eq=False)
class Party:
    """One participant: its keyring, and the keys of the moment."""

    name: str
    keyring: Keyring
    folder: Path
    now: datetime
    _roles: tuple[str, ...] = field(default=ALL_ROLES)

    @property
    def record(self) -> AgencyRecord:
        return self.keyring.directory_record()

    def sender(self, now: datetime | None = None) -> SenderKeys:
        return self.keyring.sender_keys(now or self.now)

    def recipient(self, *roles: str, now: datetime | None = None) -> RecipientKeys:
        return self.keyring.recipient_keys(roles or self._roles, now or self.now)


def make_party(
    participant: str, *, kind: str = "la", now: datetime = NOW, folder: Path | None = None, weeks: int = 4
) -> Party:
    """Make a participant with keys for `weeks`; without a folder, one that disappears with the party."""
    temporary = folder is None
    home = folder or Path(mkdtemp(prefix="mash-party-"))
    keyring = Keyring.create(home, participant=participant, protector=cheap_protector(), now=now, kind=kind)
    keyring.rotate(now, ahead=int(timedelta(weeks=weeks).total_seconds()))
    party = Party(participant, keyring, home, now)
    if temporary:
        weakref.finalize(party, shutil.rmtree, home, True)
    return party


def make_directory(
    *parties: Party, version: int = 1, pairs: Iterable[tuple[str, str] | Pair] | None = None
) -> Directory:
    """Make the directory of these parties; unless `pairs` says otherwise, each may write to each."""
    names = [party.name for party in parties]
    everyone = [(one, other) for one in names for other in names if one != other]
    return Directory.build(version, [party.record for party in parties], everyone if pairs is None else pairs)
