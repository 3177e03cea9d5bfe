"""Dead letters: look at what the hub gave up delivering, and send on what still verifies.

A message comes to `mash.q.dead` after its recipient failed on it 100 times. Who brought it in is no longer known, the
exchange's name is gone, so the signed `from` decides: every letter is verified again by the checks E00 to E10, today's
directory and today's clock, and goes back through its signer's own exchange, where only bindings lead on.

Guarantees: a letter leaves the queue only after it was confirmed in its recipient's queue or lies in the quarantine on
disk; a crash in between sends it twice, which recipients drop (E11). One operator works at a time (a lock beside the
quarantine): the interface takes out the head of the queue, and only a letter that was looked at may be at the head.
Refuses to know: anything but the stub, and of a stub that does not verify anything but its size and hash.
"""

import base64
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from broker.draining import STUFFED
from broker.errors import HubError
from broker.hub import MAX_BODY_BYTES
from broker.management import Management
from broker.topology import DEAD_QUEUE
from broker.verify import Circumstances, Refusal, VerifiedStub, check_envelope
from schemas.directory import Directory
from schemas.envelope import Malformed, read_envelope
from schemas.routing import ingress_exchange, routing_key
from schemas.stub import BadCore, read_core

LARGEST_LIST: Final = 100
QUARANTINE_FILES: Final = 1_000
QUARANTINE_BYTES: Final = 256 * 1024 * 1024
_CC_HEADERS: Final = frozenset({"CC", "BCC", STUFFED})


class NoWayToRecipient(HubError):
    """The directory permits this letter but the broker has no way for it: run `mash-hub apply`, then replay again."""


class DirectoryTooOld(HubError):
    """A letter was sealed under a newer directory than this copy: refresh the copy, then replay again."""


class QuarantineFull(HubError):
    """The quarantine of dead letters is full: look through it and empty it; the letters stay in the queue."""


class HeadChanged(HubError):
    """Another program takes letters out of the queue; the one that came out is in the quarantine. Stop that program."""


class InUse(HubError):
    """Another replay is at work with this quarantine."""


@dataclass(frozen=True)
class Letter:
    """One dead letter, as it lies in the queue."""

    body: bytes = field(repr=False)
    has_cc: bool

    @property
    def digest(self) -> str:
        """Name it without saying anything: SHA-256 of the bytes, hex."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Seen:
    """What an operator is shown of a letter: `verdict` is the verified stub, or why there is none."""

    digest: str
    size: int
    verdict: VerifiedStub | Refusal


@dataclass(frozen=True)
class Done:
    """What became of one letter: sent on again (`refusal` None), or quarantined for a reason."""

    digest: str
    refusal: Refusal | None


def judge(letter: Letter, *, directory: Directory, now: datetime) -> VerifiedStub | Refusal:
    """Verify a letter again (E00 to E10). In place of the ingress owner stands the sender whose signature must hold."""
    around = Circumstances(_unverified_sender(letter.body), None, letter.has_cc, directory, now)
    return check_envelope(letter.body, around)


def _unverified_sender(body: bytes) -> str:
    frame = read_envelope(body) if len(body) <= MAX_BODY_BYTES else None
    core = None if frame is None or isinstance(frame, Malformed) else read_core(frame.head.core)
    return "" if core is None or isinstance(core, BadCore) else core.from_


async def look(management: Management, *, directory: Directory, now: datetime, limit: int) -> tuple[Seen, ...]:
    """Judge the first letters of the queue and leave them there. At most `LARGEST_LIST` of them."""
    letters = await _take(management, count=min(limit, LARGEST_LIST), leave=True)
    return tuple(Seen(each.digest, len(each.body), judge(each, directory=directory, now=now)) for each in letters)


async def replay(
    management: Management, quarantine: "Quarantine", *, directory: Directory, now: datetime, limit: int
) -> AsyncIterator[Done]:
    """Send on what verifies and quarantine what does not, from the head of the queue, at most `limit` letters.

    Raises `NoWayToRecipient`, `DirectoryTooOld`, `QuarantineFull` and `HeadChanged`: the letter stays, the rest waits.
    """
    with quarantine.held_alone():
        for _ in range(limit):
            letters = await _take(management, count=1, leave=True)
            if not letters:
                return
            verdict = judge(letters[0], directory=directory, now=now)
            if isinstance(verdict, VerifiedStub):
                await _send_on(management, letters[0], verdict)
            else:
                _put_aside(quarantine, letters[0], verdict)
            await _remove(management, quarantine, letters[0])
            yield Done(letters[0].digest, verdict if isinstance(verdict, Refusal) else None)


async def _send_on(management: Management, letter: Letter, verified: VerifiedStub) -> None:
    """Publish through the signer's own exchange; the interface waits for the broker's confirm."""
    stub = verified.stub
    properties = {"delivery_mode": 2, "message_id": f"{stub.mid}.replay.{secrets.token_hex(4)}"}
    answer = await management.ask(
        f"exchanges/{_part(management.vhost)}/{_part(ingress_exchange(stub.from_))}/publish",
        {
            "properties": properties,
            "routing_key": routing_key(stub.to, stub.lane),
            "payload": base64.b64encode(letter.body).decode(),
            "payload_encoding": "base64",
        },
    )
    if answer.get("routed") is not True:
        raise NoWayToRecipient(f"({stub.from_} to {stub.to})")


def _put_aside(quarantine: "Quarantine", letter: Letter, refusal: Refusal) -> None:
    if (refusal.code, refusal.detail[:5]) == ("E06", "newer"):
        raise DirectoryTooOld
    quarantine.put(letter, refusal.code)


async def _remove(management: Management, quarantine: "Quarantine", expected: Letter) -> None:
    """Take the head out; should it be another than the one that was dealt with, keep it and stop."""
    for letter in await _take(management, count=1, leave=False):
        if letter.digest != expected.digest:
            quarantine.put(letter, "taken-unseen")
            raise HeadChanged(f"({letter.digest[:16]})")


async def _take(management: Management, *, count: int, leave: bool) -> tuple[Letter, ...]:
    mode = "ack_requeue_true" if leave else "ack_requeue_false"
    rows = await management.ask(
        f"queues/{_part(management.vhost)}/{_part(DEAD_QUEUE)}/get",
        {"count": count, "ackmode": mode, "encoding": "base64"},
    )
    return tuple(_letter(row) for row in rows)


def _letter(row: Mapping[str, Any]) -> Letter:
    properties = row.get("properties")  # an empty list where there are none
    headers = properties.get("headers", {}) if isinstance(properties, dict) else {}
    return Letter(base64.b64decode(row["payload"]), bool(_CC_HEADERS & set(headers)))


def _part(text: str) -> str:
    return quote(text, safe="")


class Quarantine:
    """A folder of its owner's alone with letters that did not verify, each `CODE.DIGEST`; bounded, and full means stop.

    The bytes are kept because what does not verify today (a suspended sender, a wrong clock) may be asked for tomorrow.
    """

    def __init__(self, folder: Path, *, files: int = QUARANTINE_FILES, size: int = QUARANTINE_BYTES) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._files, self._size = folder, files, size

    @property
    def held(self) -> tuple[str, ...]:
        """The names of what is in it."""
        return tuple(sorted(path.name for path in self._kept()))

    def put(self, letter: Letter, code: str) -> None:
        """Keep a letter, durably; the same letter twice is kept once. Raises `QuarantineFull`."""
        path = self._folder / f"{code}.{letter.digest}"
        kept = self._kept()
        if path in kept:
            return
        if len(kept) >= self._files or sum(each.stat().st_size for each in kept) + len(letter.body) > self._size:
            raise QuarantineFull
        unfinished = path.with_name(f".{path.name}")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(letter.body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        self._make_durable()

    @contextmanager
    def held_alone(self) -> Iterator[None]:
        """Keep every other replay out. Raises `InUse`."""
        with (self._folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse from None
            yield

    def _kept(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if not path.name.startswith(".")]

    def _make_durable(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
