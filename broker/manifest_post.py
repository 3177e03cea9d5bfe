"""Sends every agency its signed manifest of the day before, and takes in what the agencies answer.

Guarantees: one manifest an agency and day, made from the ledger when the day is well over, sent until the hub has
confirmed it, and in order, so that an agency may refuse whatever is older than what it has; after a silence the last
days are caught up. An answer counts only if the agency's own key signed it, it came through that agency's exchange, and
it names a manifest that was sent; anything else is left to the watch to refuse and count.
Refuses to sign with a key that the registrar has not put into the signed directory: nobody could verify it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from broker import hub_word, manifest_book
from broker.calendar import LONDON
from broker.directory.keys import KeyReadableByOthers, load_signer
from broker.directory.tuf import Signer
from broker.errors import HubError
from broker.hub import MAX_BODY_BYTES, Delivery, HubConnection, Outcome
from broker.ledger.chain import Passage
from broker.ledger.ledger import Ledger
from broker.manifests import manifest
from broker.topology import ANSWER_LANE, HUB_LANE
from schemas import base64url
from schemas.directory import Directory
from schemas.reconciliation import ANSWER_TYPE, MANIFEST_TYPE, DailyManifest, Reconciled, read_exactly

POSTED_AT: Final = time(0, 45)
"""London time of the next morning: what passed before midnight has been receipted by then, or is overdue."""
CATCH_UP: Final = timedelta(days=7)
LOOK_EVERY: Final = timedelta(minutes=5)

Sleep = Callable[[float], Awaitable[None]]


class NoHubKey(HubError):
    """The hub's manifest key is not in the signed directory, or not valid now: no agency would believe a manifest."""


@dataclass(frozen=True)
class ManifestPost:
    """The hub's post over one ledger and one connection, the monitor's."""

    ledger: Ledger
    directory: Callable[[], Directory]
    clock: Callable[[], datetime]
    connection: HubConnection = field(repr=False)
    signer: Signer = field(repr=False)

    async def run(self, *, sleep: Sleep = asyncio.sleep) -> None:
        """Post what is due, again and again, until cancelled; a failure is logged and tried again at the next look."""
        log = structlog.get_logger()
        while True:
            try:
                await self.post_due()
            except HubError as fault:
                log.error("manifests not sent", exc_info=fault)
            await sleep(LOOK_EVERY.total_seconds())

    async def post_due(self) -> int:
        """Send what is due and has not been sent; gives how many were confirmed. Raises `NoHubKey` and the ledger's."""
        posted = 0
        for participant in readers(self.directory()):
            async for day in self._days_due(participant):
                if not await self._post(participant, day):
                    break  # later days wait: a manifest that is older than the last is refused
                posted += 1
        return posted

    async def hear(self, delivery: Delivery) -> bool:
        """Take in an answer; False if this delivery is none that counts. Raises only what the ledger raises."""
        word = hub_word.read(delivery.body) if delivery.lane is ANSWER_LANE and not delivery.has_cc else None
        if word is None:
            return False
        directory, sender = self.directory(), delivery.ingress_owner
        record = directory.participant(sender) if directory.is_active(sender) else None
        key = directory.signing_key(sender, word.keyid) if record and not record.revoked_at(word.keyid) else None
        now = self.clock()
        if key is None or not key.covers(int(now.timestamp())):
            return False
        payload = hub_word.answered(word, payload_type=ANSWER_TYPE, key=key)
        answer = read_exactly(Reconciled, payload) if payload is not None else None
        if answer is None or answer.participant != sender or bool(answer.count) != bool(answer.differences):
            return False
        digest = base64url.decode(answer.manifest, size=32) or b""
        await manifest_book.note_answer(self.ledger, answer, digest=digest, at=now)
        return True

    async def _days_due(self, participant: str) -> AsyncIterator[date]:
        for day in days_due(self.clock(), began_at=self.ledger.began_at):
            if not await manifest_book.was_sent(self.ledger, participant, day):
                yield day

    async def _post(self, participant: str, day: date) -> bool:
        body = await manifest_book.kept(self.ledger, participant, day) or await self._make(participant, day)
        attempt = f"manifest.{day.isoformat()}.{int(self.clock().timestamp())}"
        sent = await self.connection.publish(body, recipient=participant, lane=HUB_LANE, attempt_id=attempt)
        if sent is not Outcome.CONFIRMED:
            return False
        await manifest_book.note_sent(self.ledger, participant, day, at=self.clock())
        return True

    async def _make(self, participant: str, day: date) -> bytes:
        """Make, sign and store a manifest. Raises `NoHubKey`."""
        self._check_key()
        payload = await self._payload(participant, day)
        body = hub_word.say(payload, payload_type=MANIFEST_TYPE, signer=self.signer)
        digest = sha256(payload).digest()
        return await manifest_book.keep(self.ledger, participant, day, body=body, digest=digest, at=self.clock())

    async def _payload(self, participant: str, day: date) -> bytes:
        head = await self.ledger.head()
        passages = [passage async for passage in self._passages(participant) if passage.number <= head.entries]
        made = manifest(passages, participant=participant, day=day, now=self.clock(), ledger=(head.entries, head.hash))
        whole = made.to_bytes()
        return whole if len(whole) * 4 // 3 + 1024 <= MAX_BODY_BYTES else without_names(made).to_bytes()

    async def _passages(self, participant: str) -> AsyncIterator[Passage]:
        after = 0
        while some := await self.ledger.passages_of(participant, after=after):
            for passage in some:
                yield passage
            after = some[-1].number

    def _check_key(self) -> None:
        """Refuse to say what nobody could verify."""
        public, now = hub_word.public_of(self.signer), int(self.clock().timestamp())
        if not any(key.public == public and key.covers(now) for key in self.directory().hub_keys):
            raise NoHubKey


def manifest_signer(private: Path) -> Signer:
    """Open the hub's manifest key. Raises `NoHubKey` for a file that is none, or that others can read."""
    try:
        signer = load_signer(private)
        hub_word.public_of(signer)
    except (OSError, ValueError, KeyReadableByOthers) as wrong:
        raise NoHubKey(f"({type(wrong).__name__} at {private})") from None
    return signer


@asynccontextmanager
async def posting(post: ManifestPost) -> AsyncIterator[ManifestPost]:
    """Run the post for the block."""
    task = asyncio.create_task(post.run(), name="manifest-post")
    try:
        yield post
    finally:
        task.cancel()
        await asyncio.wait([task])


def readers(directory: Directory) -> tuple[str, ...]:
    """Name those who have a manifest: whoever may write to somebody or be written to."""
    return tuple(sorted({end for pair in directory.pairs if directory.permits(*pair) for end in pair}))


def days_due(now: datetime, *, began_at: datetime) -> tuple[date, ...]:
    """Give the days, oldest first, whose manifests should have been sent by `now`, back to the ledger's first."""
    local = now.astimezone(LONDON)
    last = local.date() - timedelta(days=1 if local.time() >= POSTED_AT else 2)
    first = max(began_at.astimezone(LONDON).date(), last - CATCH_UP + timedelta(days=1))
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def without_names(made: DailyManifest) -> DailyManifest:
    """Give the same manifest without the messages' names: a day with more than fits still has its numbers."""
    halves = tuple(half.model_copy(update={"messages": ()}) for half in made.halves)
    return made.model_copy(update={"halves": halves})
