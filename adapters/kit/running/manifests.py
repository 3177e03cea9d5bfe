"""The hub's daily manifests at an agency: verified, held against its own books, differences alarmed and answered.

What comes through the hub's own exchange is a manifest or nothing (SPEC 7.8); it is checked in a fixed order, each
refusal has a code, and none of them is told to anybody but this agency's own people. A manifest makes nothing be sent
but its answer, and nothing be opened or closed: whoever takes over the hub's key can raise false alarms and no more.
Guarantees: taken in before it is acknowledged; compared once, a while later, so that what was under way has arrived;
answered until the hub has the answer. A manifest that does not come is an alarm too, one for each day without one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from adapters.kit.delivery import quarantine
from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.keys.in_use import SenderKeys
from adapters.kit.running.manifest_shelf import (
    Filed,
    Shelf,
    change,
    compare,
    digest_of,
    file,
    miss,
    note_owed,
    read_shelf,
)
from adapters.kit.running.manifests_owed import LISTENED_FOR, are_owed, missing
from adapters.kit.store.alarms import Priority
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from broker import hub_word
from broker.calendar import LONDON
from broker.hub import Delivery, HubConnection, Outcome
from broker.topology import ANSWER_LANE, HUB
from broker.verify import CLOCK_SLACK, MAX_LIFE
from schemas.directory import Directory
from schemas.reconciliation import (
    ANSWER_TYPE,
    MANIFEST_TYPE,
    DailyManifest,
    read_exactly,
)

GRACE: Final = timedelta(minutes=20)
"""From taking a manifest in to comparing it: lanes overtake each other, and what it names may still be on its way."""
ANSWERED_WITHIN: Final = timedelta(days=7)
_FORGED: Final = frozenset({"H02", "H04", "H08"})
"""Another's signature, another agency's manifest, two for one day: somebody at the hub does what nobody honest does."""


@dataclass(frozen=True)
class Unfit:
    """Why a manifest is not taken: a code, and a reason without content."""

    code: str
    reason: str


@dataclass(frozen=True)
class Manifests:
    """One agency's end. `keys` gives the signing key of the moment, for the answers."""

    participant: str
    store: Store
    directory: Callable[[], Directory]
    keys: Callable[[datetime], SenderKeys] = field(repr=False)
    _missed: set[date] = field(default_factory=set, init=False, repr=False)

    async def take(self, delivery: Delivery) -> None:
        """Take in one word of the hub's; returning acknowledges. Raises only what the store raises."""
        async with self.store.transaction() as tx:
            shelf, _ = await read_shelf(tx)
            verdict = self._check(delivery, shelf.days, now=tx.now)
            if isinstance(verdict, Unfit):
                await self._refuse(tx, delivery, verdict)
            elif verdict is not None:
                await file(tx, verdict, _payload(delivery))

    async def compare_due(self) -> int:
        """Compare what was taken in a while ago; gives how many manifests were compared."""
        async with self.store.snapshot() as view:
            shelf, _ = await read_shelf(view)
            waiting = [day for day, one in shelf.days.items() if _is_due(one, view.now)]
        for day in waiting:
            async with self.store.transaction() as tx:
                await compare(tx, day)
        return len(waiting)

    async def answer_due(self, connection: HubConnection) -> int:
        """Send the hub the answers that it has not confirmed yet; gives how many it has now."""
        async with self.store.snapshot() as view:
            shelf, _ = await read_shelf(view)
        waiting = {day: one for day, one in shelf.days.items() if one.answer}
        return sum([await self._answer(connection, day, one) for day, one in waiting.items()])

    async def notice_missing(self) -> int:
        """Alarm on every day whose manifest has not come; gives how many alarms are new. Raises `NoDirectory`."""
        owed = are_owed(self.directory(), participant=self.participant)
        async with self.store.snapshot() as view:
            shelf, _ = await read_shelf(view)
            days = self._missing(shelf, now=view.now) if owed else ()
        if owed != (shelf.owed_since is not None):
            async with self.store.transaction() as tx:
                await note_owed(tx, are_owed=owed)
        return sum([await self._miss(day) for day in days])

    def _missing(self, shelf: Shelf, *, now: datetime) -> tuple[date, ...]:
        if shelf.owed_since is None or now - self.store.opened_at < LISTENED_FOR:
            return ()
        here = {date.fromisoformat(day) for day in shelf.days} | self._missed
        return missing(here, owed_since=shelf.owed_since, now=now)

    async def _miss(self, day: date) -> bool:
        async with self.store.transaction() as tx:
            is_new = await miss(tx, day)
        self._missed.add(day)
        return is_new

    def _check(self, delivery: Delivery, filed: Mapping[str, Filed], *, now: datetime) -> DailyManifest | Unfit | None:
        """Run H01 to H08 in order; None for one that was taken before."""
        directory = self.directory()
        word = None if delivery.has_cc else hub_word.read(delivery.body)
        if word is None:
            return Unfit("H01", "no signed word")
        heard = hub_word.heard(word, payload_type=MANIFEST_TYPE, keys=directory.hub_keys)
        if heard is None:
            return Unfit("H02", "not signed by the hub")
        payload, key = heard
        manifest = read_exactly(DailyManifest, payload)
        if manifest is None:
            return Unfit("H03", "no manifest")
        if manifest.participant != self.participant:
            return Unfit("H04", "another agency's manifest")
        if not key.covers(int(manifest.made_at.timestamp())):
            return Unfit("H05", "the hub's key was not valid then")
        return _untimely(manifest, now) or _unexpected(manifest, filed, digest=digest_of(payload))

    async def _refuse(self, tx: Transaction, delivery: Delivery, unfit: Unfit) -> None:
        await quarantine.keep(tx, delivery, code=unfit.code, policy=self.store.policy)
        priority = Priority.P1 if unfit.code in _FORGED else Priority.P2
        refs = {"code": unfit.code, "from": HUB}
        alarm_id = f"manifest-refused/{unfit.code}/{tx.now:%Y-%m-%d}"
        await tx.alarm(alarm_id, priority=priority, code="manifest-refused", refs=refs)

    async def _answer(self, connection: HubConnection, day: str, one: Filed) -> bool:
        now = self.store.clock()
        keys = self.keys(now)
        body = hub_word.answer(one.answer.encode(), payload_type=ANSWER_TYPE, kid=keys.kid, sign=keys.sign)
        attempt = f"answer.{day}.{int(now.timestamp())}"
        sent = await connection.publish(body, recipient=HUB, lane=ANSWER_LANE, attempt_id=attempt)
        if sent is Outcome.CONFIRMED or now > one.taken_at + ANSWERED_WITHIN:
            async with self.store.transaction() as tx:
                await change(tx, day, answer="")
        return sent is Outcome.CONFIRMED


@dataclass(frozen=True)
class HubAside:
    """The handler of every lane where manifests are taken: the hub's own words go aside, all else to the inbox."""

    receiver: InboxReceiver
    manifests: Manifests

    @property
    def at_once(self) -> int:
        """How many deliveries the inbox stores together at most."""
        return self.receiver.at_once

    async def __call__(self, delivery: Delivery) -> None:
        """Handle one delivery; returning acknowledges."""
        await self.take([delivery])

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Handle several, in order; returning acknowledges them all."""
        for from_hub, some in groupby(deliveries, key=lambda delivery: delivery.ingress_owner == HUB):
            together = list(some)
            if not from_hub:
                await self._store(together)
                continue
            for delivery in together:
                await self.manifests.take(delivery)

    async def _store(self, deliveries: Sequence[Delivery]) -> None:
        if len(deliveries) == 1:
            await self.receiver.handle(deliveries[0])
        else:
            await self.receiver.take(deliveries)


def _untimely(manifest: DailyManifest, now: datetime) -> Unfit | None:
    """H06: made in the future, before its day was over, or longer ago than any message lives."""
    age = (now - manifest.made_at).total_seconds()
    early = manifest.day >= manifest.made_at.astimezone(LONDON).date()
    return Unfit("H06", "not of its time") if age < -CLOCK_SLACK or age > MAX_LIFE or early else None


def _unexpected(manifest: DailyManifest, filed: Mapping[str, Filed], *, digest: str) -> DailyManifest | Unfit | None:
    """H07: older than one that is here. H08: another for a day that is here. The same one again is no news."""
    known = filed.get(manifest.day.isoformat())
    if known is not None:
        return None if known.digest == digest else Unfit("H08", "another manifest of that day")
    if any(day > manifest.day.isoformat() for day in filed):
        return Unfit("H07", "older than the last one")
    return manifest


def _payload(delivery: Delivery) -> bytes:
    word = hub_word.read(delivery.body)
    return b"" if word is None else word.unverified_payload  # verified by `_check`, whose verdict brings us here


def _is_due(one: Filed, now: datetime) -> bool:
    return bool(one.payload) and now >= one.taken_at + GRACE
