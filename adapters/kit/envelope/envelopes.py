"""What the outbox and the inbox ask of sealing: seal this, check that, open this; keys and directory stay behind it.

`KeyedEnvelopes` is the real one. It asks for keys and directory anew at every call, because both change while an
adapter runs: a rotated key or a refreshed directory counts from the next message on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from adapters.kit.envelope.sealing import Chain, Outgoing, Sealed, seal
from adapters.kit.envelope.verification import Arrival, Opened, Refusal, check_arrival, open_arrival
from adapters.kit.keys.in_use import RecipientKeys, SenderKeys
from broker.hub import Delivery
from schemas.directory import Directory


class Envelopes(Protocol):
    """One participant's way with envelopes."""

    def seal(self, outgoing: Outgoing, *, chain: Chain, now: datetime) -> Sealed:
        """Seal once; raises CannotSeal when the directory or the keys do not allow it now."""
        ...

    def check(self, delivery: Delivery, *, now: datetime) -> Arrival | Refusal:
        """Run E00 to E10; never raises."""
        ...

    def open(self, arrival: Arrival, *, now: datetime) -> Opened | Refusal:
        """Run E14 to E22; never raises."""
        ...


@dataclass(frozen=True)
class KeyedEnvelopes:
    """Envelopes made with the keyring's keys and the verified directory, each as it is at the moment of use."""

    participant: str
    sender_keys: Callable[[datetime], SenderKeys] = field(repr=False)
    recipient_keys: Callable[[datetime], RecipientKeys] = field(repr=False)
    directory: Callable[[], Directory] = field(repr=False)

    def seal(self, outgoing: Outgoing, *, chain: Chain, now: datetime) -> Sealed:
        """Seal with the signing key of the day."""
        return seal(outgoing, keys=self.sender_keys(now), directory=self.directory(), chain=chain, now=now)

    def check(self, delivery: Delivery, *, now: datetime) -> Arrival | Refusal:
        """Check a delivery against the directory of the moment."""
        return check_arrival(
            delivery.body,
            me=self.participant,
            ingress_owner=delivery.ingress_owner,
            lane=delivery.lane,
            has_cc=delivery.has_cc,
            directory=self.directory(),
            now=now,
        )

    def open(self, arrival: Arrival, *, now: datetime) -> Opened | Refusal:
        """Open with the prekeys that are not yet erased."""
        return open_arrival(arrival, keys=self.recipient_keys(now), directory=self.directory())
