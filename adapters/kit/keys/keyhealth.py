"""Whether the keys are well: how long they last, and whether each private key fits what is published.

Pure over a keyring and the time; the figures are exported as metrics whose labels are uses and role names of ours.
A rotation that nobody noticed is missing would stop all traffic at once, so it is counted down in the open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from adapters.kit.envelope import hybrid
from adapters.kit.keys.in_use import SenderKeys
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.secrets import SecretBytes
from broker.verify import is_signed
from schemas import base64url

DAY: Final = 86_400
WARN_DAYS: Final = {"identity": 60, "signing": 10, "prekey": 1}
_PROBE: Final = b"self-test"


@dataclass(frozen=True)
class Expiry:
    """For how many days there is a key of this use (and role), counting published successors."""

    use: str
    role: str
    days: float

    @property
    def is_warning(self) -> bool:
        """Say whether somebody has to act."""
        return self.days < WARN_DAYS[self.use]


def expiries(keyring: Keyring, now: datetime) -> list[Expiry]:
    """Say how long each kind of key lasts; none at all counts as zero days."""
    stored, revoked = keyring.stored, {entry.key for entry in keyring.stored.revocations}
    wanted: list[tuple[str, str | None, str]] = [("identity", None, ""), ("signing", None, "")]
    wanted += [("prekey", role.id, role.name) for role in stored.roles]
    found = []
    for use, role, name in wanted:
        keys = (key for key in stored.of_use(use) if key.role == role and key.id not in revoked)
        ends = max((key.not_after for key in keys), default=0)
        found.append(Expiry(use, name, max(0.0, (ends - now.timestamp()) / DAY)))
    return found


def self_test(keyring: Keyring, now: datetime) -> list[str]:
    """Use every key that partners may use now, private half against published half; give what does not fit."""
    return [*_signing_faults(keyring, now), *_prekey_faults(keyring, now)]


def _signing_faults(keyring: Keyring, now: datetime) -> Iterator[str]:
    for key in keyring.stored.of_use("signing"):
        if key.not_before <= now.timestamp() < key.not_after:
            sender = SenderKeys.load(keyring.participant, kid=key.id, seed=keyring.unwrapped(key))
            if not is_signed(_PROBE, signature=sender.sign(_PROBE), public=key.public):
                yield f"signing key {key.id}"


def _prekey_faults(keyring: Keyring, now: datetime) -> Iterator[str]:
    record = keyring.directory_record()
    in_hand = keyring.recipient_keys([role.name for role in record.roles], now).prekeys
    for role in record.roles:
        for prekey in (one for one in role.prekeys if now.timestamp() < one.not_after):
            held = in_hand.get(base64url.decode(prekey.id) or b"")
            probe = SecretBytes.random().reveal()
            sealed = hybrid.wrap(probe, public=prekey.public, info=_PROBE)
            if held is None or hybrid.unwrap(sealed, private=held.private, info=_PROBE) != probe:
                yield f"prekey {prekey.id} of {role.name}"


class KeyMetrics:
    """`mash_key_days_left{use,role}` and `mash_key_self_test_faults`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._days = Gauge(
            "mash_key_days_left", "Days for which a key is published", ["use", "role"], registry=registry
        )
        self._faults = Gauge(
            "mash_key_self_test_faults", "Keys that do not fit their published half", registry=registry
        )

    def observe(self, keyring: Keyring, now: datetime) -> None:
        """Bring the figures up to date."""
        for expiry in expiries(keyring, now):
            self._days.labels(use=expiry.use, role=expiry.role).set(expiry.days)
        self._faults.set(len(self_test(keyring, now)))


def write_metrics(keyring: Keyring, path: Path, *, now: datetime) -> None:
    """Write the figures where Prometheus' textfile collector reads them (`*.prom`): whole, or not at all."""
    registry = CollectorRegistry()
    KeyMetrics(registry).observe(keyring, now)
    write_to_textfile(str(path), registry)
