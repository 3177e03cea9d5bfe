"""One adapter as a process of a bench: the product's own adapter and link, and somebody who presses send.

    python -m tests.bench.station '{"place": {...}, "role": "asks"|"answers", ...}'

It says `"ready"` and does what it is told, a word a line: `go` (send requests at a fixed rate, whether or not the ones
before have been received, so that lateness is not hidden; or keep a `window` of them under way until they are
answered), `bodies` (write one envelope of each kind into a folder), `end` (come to rest and report as JSON), `leave`.
Who answers files each request as the product does, and with `replies` answers it.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.delivery.messages import Outbound, outgoing
from adapters.kit.delivery.states import OutboxState
from adapters.kit.envelope.sealing import Outgoing, new_thread
from adapters.kit.envelope.verification import Refusal
from adapters.kit.running.adapter import Adapter
from adapters.kit.running.partners import FixedPartners
from adapters.kit.running.settings import load_settings
from adapters.kit.store.store import Store
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows
from adapters.kit.store.timers import Timer
from adapters.kit.store.transaction import Transaction
from broker.pace import settle_memory
from broker.transport import connect
from broker.watch.clock import TrustedClock
from broker.watch.directory import read_exported
from schemas.content.notice import Request, Seen
from schemas.routing import Lane
from tests.bench.machine import memory_mb
from tests.bench.station_report import Notes, report, states
from tests.support.ashgrove import request_to

USER, ROLE = "bench-user", "mash_team_manager"
TICK = 0.05
TIMER = "bench"
_ON_THEIR_WAY = (OutboxState.SEALED, OutboxState.INFLIGHT, OutboxState.CONFIRMED, OutboxState.RECEIVED)
UNDER_WAY = tuple(state.value for state in _ON_THEIR_WAY)


@dataclass(frozen=True)
class Told:
    """What the process was told. Rate in requests a second; `window` under way at a time instead of a rate."""

    place: dict[str, str]
    role: str
    peer: str
    seconds: float = 0.0
    rate: float = 0.0
    count: int = 0
    window: int = 0
    replies: bool = False
    timers: int = 0
    bodies: str = ""


class Station:
    """The adapter, its link and its user."""

    def __init__(self, told: Told, adapter: Adapter) -> None:
        self.told, self.adapter, self.notes = told, adapter, Notes()
        self._template = Request(rfi=request_to("police"))

    @property
    def store(self) -> Store:
        """The adapter's store."""
        return self.adapter.store

    async def apply(self, tx: Transaction, received: Received) -> Refusal | None:
        """Act as the product does on what is asked; note what is answered."""
        if self.told.role == "asks":
            reply = received.in_reply_to or ""
            tx.after_commit.append(lambda: self._note_answer(reply))
            return None
        refusal = await self.adapter.apply(tx, received)
        if refusal is None and self.told.replies:
            await tx.enqueue(self._reply(received))
        return refusal

    def _note_answer(self, mid: str) -> None:
        self.notes.answered_at[mid] = time.time()
        if mid in self.notes.awaited:
            self.notes.awaited.pop(mid).set()

    def _reply(self, received: Received) -> Outgoing:
        seen = Seen(enquiry="ENQ-2026-000431", rfi=received.original.mid, seen_at=datetime.now(UTC))
        bound = Outbound(
            received.original.peer, received.original.thread, received.original.mid, Lane.ROUTINE, "ANS", "amber"
        )
        return outgoing(bound, seen, user=USER, role=ROLE)

    async def ask(self, number: int, *, at: float) -> str:
        """Press send: one request is one command, as `at` (Unix seconds) asked; returns its mid."""
        rfi = self._template.rfi.model_copy(update={"rfi": f"RFI-2026-{number:06}"})
        bound = Outbound(self.told.peer, new_thread(), None, Lane.ROUTINE, "REQ", "amber")
        message = outgoing(bound, self._template.model_copy(update={"rfi": rfi}), user=USER, role=ROLE)

        async def send(tx: Transaction) -> bytes:
            sent = await tx.enqueue(message)
            return f"{sent.ref} {sent.mid}".encode()

        answer = await self.store.command(f"bench/{number}", request=f"RFI-2026-{number:06}".encode(), work=send)
        ref, mid = answer.decode().split()
        self.notes.asked_at[ref] = at
        return mid

    async def ask_at_a_rate(self) -> None:
        """Send at the rate, late or not; the moment that counts is when each was due."""
        begun, pressed = time.time(), set[asyncio.Task[str]]()
        for number in range(int(self.told.rate * self.told.seconds)):
            due = begun + number / self.told.rate
            await asyncio.sleep(max(0.0, due - time.time()))
            task = asyncio.create_task(self.ask(number, at=due))
            pressed.add(task)
            task.add_done_callback(pressed.discard)
        await asyncio.gather(*pressed)

    async def ask_in_a_window(self) -> None:
        """Keep `window` requests under way, from the press to the answer."""
        first = len(self.notes.asked_at)
        numbers = iter(range(first, first + self.told.count))

        async def one() -> None:
            for number in numbers:
                mid = await self.ask(number, at=time.time())
                if mid not in self.notes.answered_at:
                    await self.notes.awaited.setdefault(mid, asyncio.Event()).wait()

        await asyncio.gather(*(one() for _ in range(self.told.window)))

    async def write_bodies(self) -> None:
        """Write a request, an answer and a receipt as they passed, for whoever moves the same bytes without us."""
        async with self.store.snapshot() as view:
            sent, came = await view.select(outbox_rows, select(outbox_rows)), await _arrivals(view)
            refs = {("out", row["ref"]): row["event"] for row in sent}
            refs |= {("in", f"{row['peer']}/{row['mid']}"): row["event"] for row in came}
            for kept in await view.select(envelope, select(envelope)):
                kind = {"REQ": "request", "ANS": "answer", "RCP": "receipt"}[refs[kept["way"], kept["ref"]]]
                (Path(self.told.bodies) / kind).write_bytes(kept["body"])

    async def watch_itself(self) -> None:
        """Note memory every second, and how late the loop wakes a sleeper."""
        ticks = 0
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self.notes.stalls.append(time.perf_counter() - before - TICK)
            ticks += 1
            if not ticks % round(1 / TICK):
                self.notes.memory.append(memory_mb())

    async def set_timers(self) -> None:
        """Set the timers of the run; the product's own timekeeper fires each as it falls due."""
        begun, every = self.adapter.clock(), self.told.seconds / max(1, self.told.timers)
        async with self.store.transaction() as tx:
            for number in range(self.told.timers):
                await tx.add_timer(TIMER, str(number), begun + timedelta(seconds=1 + number * every))

    async def on_timer(self, tx: Transaction, timer: Timer) -> None:
        """Note how late a timer is, when its effect is committed."""
        tx.after_commit.append(lambda: self.notes.timers_late.append(time.time() - timer.due_at.timestamp()))

    async def settled(self, *, seconds: float) -> dict[str, int]:
        """Wait until everything sent is opened over there, or give up; returns how many messages are in which state."""
        give_up = time.time() + seconds
        while True:
            async with self.store.snapshot() as view:
                rows = await view.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.state.in_(UNDER_WAY)))
            if not rows or time.time() > give_up:
                return await states(self.store)
            await asyncio.sleep(0.5)


async def _arrivals(view: Transaction) -> list[dict[str, Any]]:
    return await view.select(inbox_rows, select(inbox_rows))


async def _nothing_to_tidy(tx: Transaction) -> int:
    return 0


async def _word() -> str:
    return str(await asyncio.to_thread(sys.stdin.readline)).strip()


def say(told: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def live(told: Told) -> None:
    """Open the adapter, run it, do what was asked for, and report."""
    directory = read_exported(Path(told.place["directory"]))
    settings = load_settings(Path(told.place["home"]))
    async with AsyncExitStack() as stack:
        adapter = await stack.enter_async_context(Adapter.opened(settings, directory=lambda: directory, exclusive=True))
        connection = await connect(told.place["hub"], participant=settings.file.participant)
        stack.push_async_callback(connection.close)
        station = Station(told, adapter)
        adapter.store.on_commit(lambda: station.notes.commits.append(time.time()))
        link = adapter.linked(connection, FixedPartners(directory))
        link.apply = station.apply
        adapter.on_timers([TIMER], station.on_timer, tidy=_nothing_to_tidy)
        running = asyncio.create_task(link.run(station.watch_itself(), adapter.timekeeper(TrustedClock()).run()))
        while not all(connection.alive(lane) for lane in Lane):  # noqa: ASYNC110 - the connection tells nobody
            await asyncio.sleep(0.05)
        settle_memory()
        say("ready")
        await _obey(station)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _obey(station: Station) -> None:
    """Do what is said until `leave`, so that whoever measures can read this process's work before it ends."""
    while (word := await _word()) not in ("leave", ""):
        if word == "go":
            await station.set_timers()
            begun = time.time()
            if station.told.role == "asks":
                await (station.ask_in_a_window() if station.told.window else station.ask_at_a_rate())
                say({"seconds": time.time() - begun})
        elif word == "bodies":
            await station.write_bodies()
            say("written")
        elif word == "end":
            await station.settled(seconds=300)
            say(await report(station.store, station.notes))


if __name__ == "__main__":
    asyncio.run(live(Told(**json.loads(sys.argv[1]))))
