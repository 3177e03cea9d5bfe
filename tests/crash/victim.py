"""One adapter as a program that is made to be killed: `python -m tests.crash.victim <settings as JSON>`.

It checks the invariants of its store before it does anything (a violation ends it with 3), does a round of everything
that a failpoint lies in, and then runs until nothing is left to do. Real keys, real envelopes, a hub on a file.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from adapters.kit.delivery.admission import GAP_TIMER
from adapters.kit.delivery.alarm_courier import AlarmCourier
from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import InboxWorker, Received
from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.delivery.policy import DeliveryPolicy
from adapters.kit.delivery.states import OUTBOX_AT_REST, InboxState
from adapters.kit.envelope.envelopes import Envelopes, KeyedEnvelopes
from adapters.kit.envelope.verification import Arrival, Opened, Refusal
from adapters.kit.keys.keyring import ROLES, Keyring
from adapters.kit.store import invariants
from adapters.kit.store.alarms import Alarm, Priority
from adapters.kit.store.store import Store
from adapters.kit.store.tables import inbox_rows, outbox_rows
from adapters.kit.store.transaction import Transaction
from broker.embedded import EmbeddedHub
from broker.hub import Delivery
from broker.settings import TransportSettings
from broker.topology import Topology
from schemas.directory import Directory
from schemas.routing import Lane, queue_name
from tests.crash.deadly import Deadly
from tests.support.fake_sealing import request_to
from tests.support.hubs import FAST
from tests.support.parties import cheap_protector

COUNCIL, POLICE, HEALTH = "testford-la", "testford-police", "testford-health"
PATIENCE = 480  # looks at which something was overdue and nothing had moved since the last
LOOK_EVERY = 0.25  # seconds
CANARY = b"CANARY-Ashgrove-Test"
SOON = timedelta(milliseconds=100)
_BOUNDS = dict.fromkeys(Lane, timedelta(seconds=8))  # longer than a loaded machine takes, or repetitions pile up
_PATIENT_BOUNDS = dict.fromkeys(Lane, timedelta(seconds=60))
QUICK = DeliveryPolicy(
    received_within=_BOUNDS,
    opened_within=_BOUNDS,
    longest_pause=dict.fromkeys(Lane, timedelta(seconds=2)),
    first_pause=SOON,
    gap_alarm=SOON,
    wait_for_cause=timedelta(seconds=2),
)
UNHURRIED = replace(
    FAST, handler_timeout=TransportSettings().handler_timeout
)  # as the product: a loaded machine is slow
# The partner lives on while lives die: if it repeated as soon, the last life would drain hundreds of repetitions.
PATIENT = replace(QUICK, received_within=_PATIENT_BOUNDS, opened_within=_PATIENT_BOUNDS)


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Settings:
    """What a victim is told: who it is, where its store and keys are, the number of this life.

    `passages`: how often everything is done, each time when what was done before has come to rest: what waits is taken
    in and sent together, so a failpoint's third passage comes only with a third thing to do.
    `fed`: somebody gives it one thing after another to do, and says in a file when that is over (`no_more_for`).
    """

    name: str
    url: str
    folder: str
    life: int
    kind: str = "round"
    passages: int = 1
    fed: bool = False


def no_more_for(folder: Path, life: int) -> Path:
    """Where whoever feeds a life says that nothing more will come."""
    return folder / f"no-more-{life}"


def together_in(folder: Path, life: int) -> Path:
    """Where a life says that several messages, none of which had come before, were taken in together."""
    return folder / f"together-{life}"


def topology() -> Topology:
    """Council and police talk; nobody is bound to health, so what goes there is returned."""
    pairs = [(COUNCIL, POLICE), (POLICE, COUNCIL)]
    return Topology.build([COUNCIL, POLICE, HEALTH], pairs, monitor=False)


def keyring(folder: Path, name: str) -> Keyring:
    return Keyring.open(folder / f"keys-{name}", protector=cheap_protector(), now=wall_clock())


def envelopes_of(folder: Path, name: str) -> Envelopes:
    """Open the keys of one participant and make the directory of all three."""
    rings = {other: keyring(folder, other) for other in (COUNCIL, POLICE, HEALTH)}
    pairs = [(one, other) for one in rings for other in rings if one != other]
    directory = Directory.build(1, [ring.directory_record() for ring in rings.values()], pairs)
    mine = rings[name]
    return KeyedEnvelopes(name, mine.sender_keys, lambda now: mine.recipient_keys(ROLES, now), lambda: directory)


@dataclass(frozen=True)
class RefusesOnce:
    """Envelopes of a partner whose keys are behind: of class `refuse`, the first message of a thread does not open.

    However often it is tried: whoever opens several together tries each again by itself after a refusal.
    """

    inner: Envelopes
    first: dict[str, str]

    def seal(self, *arguments: object, **named: object) -> object:
        return self.inner.seal(*arguments, **named)  # type: ignore[arg-type]  # passed on

    def check(self, delivery: Delivery, *, now: datetime) -> Arrival | Refusal:
        return self.inner.check(delivery, now=now)

    def open(self, arrival: Arrival, *, now: datetime) -> Opened | Refusal:
        stub = arrival.stub
        if stub.service_class == "refuse" and self.first.setdefault(stub.thread, stub.mid) == stub.mid:
            return Refusal("E16", "REJ-CRYPTO", "prekey unknown or erased")
        return self.inner.open(arrival, now=now)


async def apply(tx: Transaction, received: Received) -> Refusal | None:
    """An effect that can be counted: a document for each message, which must be new."""
    text = next(iter(received.opened.sections.values()))
    await tx.put("effect", received.original.mid, text, expect_version=None)
    return None


async def a_round(store: Store, *, life: int, peer: str, passage: int = 0) -> None:
    """Everything that an adapter's users and timers do, once: under keys that a later life may repeat."""

    def sending(**changes: object) -> Callable[[Transaction], Awaitable[bytes]]:
        async def work(tx: Transaction) -> bytes:
            outgoing = replace(request_to(peer, CANARY), **changes)  # type: ignore[arg-type]  # fields of Outgoing
            return (await tx.enqueue(outgoing)).ref.encode()

        return work

    async def held(tx: Transaction) -> bytes:
        return (await tx.enqueue(request_to(peer, CANARY), release_at=tx.now + SOON)).ref.encode()

    async def recalled(tx: Transaction) -> bytes:
        ref = (await tx.enqueue(request_to(peer, CANARY), release_at=tx.now + timedelta(hours=1))).ref
        await tx.recall(ref)
        return ref.encode()

    async def timed(tx: Transaction) -> bytes:
        gap = 1000 + 10 * life + passage
        await tx.add_timer(GAP_TIMER, f"{peer}/{gap}-{gap}", tx.now)
        await tx.alarm(f"drill/{life}/{passage}", priority=Priority.P2, code="drill", refs={})
        return b"set"

    works = {
        "plain": sending(),
        "urgent": sending(lane=Lane.URGENT),
        "refused once": sending(service_class="refuse"),
        "unroutable": sending(recipient=HEALTH),
        "held": held,
        "recalled": recalled,
        "timed": timed,
    }
    for name, work in works.items():
        await store.command(f"{life}/{passage}/{name}", request=name.encode(), work=work)


async def unfinished(store: Store) -> list[str]:
    """Say what is left to do, by states and references."""
    resting = [state.value for state in OUTBOX_AT_REST]
    async with store.snapshot() as view:
        sent = await view.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.state.not_in(resting)))
        stored = select(inbox_rows).where(inbox_rows.c.state == InboxState.STORED.value)
        came = await view.select(inbox_rows, stored)
    found = [f"outbox {row['sort']} {row['state']} to {row['recipient']} attempt {row['attempt']}" for row in sent]
    return found + [f"inbox {row['event']} opens {row['opens']} failures {row['failures']}" for row in came]


async def live(settings: Settings) -> int:
    """One life. Returns 0 when all is done, 3 when an earlier life has left a broken invariant."""
    folder = Path(settings.folder)
    seals = envelopes_of(folder, settings.name)
    key = keyring(folder, settings.name).store_key()
    opening = Store.open(
        settings.url, participant=settings.name, store_key=key, clock=wall_clock, envelopes=seals, policy=QUICK
    )
    async with opening as store, EmbeddedHub(topology(), folder / "hub.sqlite", settings=UNHURRIED) as hub:
        async with store.snapshot() as view:
            found = await invariants.violations(view)
        if found:
            sys.stderr.write("\n".join(found))
            return 3
        return await _work(store, hub, seals, settings=settings)


async def _work(store: Store, hub: EmbeddedHub, seals: Envelopes, *, settings: Settings) -> int:
    connection = Deadly(await hub.connect(settings.name), together_in(Path(settings.folder), settings.life))
    receiver, worker = InboxReceiver(store, seals), InboxWorker(store, seals)
    for lane in Lane:
        await connection.consume(lane, receiver)
    tasks = [
        asyncio.create_task(OutboxPump(store, connection).run(idle=0.1)),
        asyncio.create_task(worker.run(apply, idle=0.1)),
        asyncio.create_task(_courier(store)),
    ]
    left: list[str] = []
    for passage in range(settings.passages):
        if settings.kind == "round" and not left:
            peer = POLICE if settings.name == COUNCIL else COUNCIL
            await a_round(store, life=settings.life, peer=peer, passage=passage)
            await store.change_key(keyring(Path(settings.folder), settings.name).store_key())
        left = left or await _come_to_rest(store, hub, settings, tasks)
    await connection.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    sys.stderr.write("\n".join(left))
    return 4 if left else 0


async def _come_to_rest(
    store: Store, hub: EmbeddedHub, settings: Settings, tasks: "list[asyncio.Task[None]]"
) -> list[str]:
    """Wait until nothing is left to do, here or in the queues; returns what is left when patience ends.

    A loaded machine is slow, a lost wake-up stands still: patience ends only over what is overdue and does not move.
    """
    still, before = 0, ""
    while still < PATIENCE:
        for task in tasks:
            if task.done():
                await task
        await asyncio.sleep(LOOK_EVERY)
        fed = settings.fed and not no_more_for(Path(settings.folder), settings.life).exists()
        waiting = sum([await hub.depth(queue_name(settings.name, lane)) for lane in Lane])
        left = [*await unfinished(store), *[f"{waiting} in the queues"] * bool(waiting)]
        if not left and not fed:
            return []
        sys.stderr.write(f"{Counter(one.rpartition(' attempt')[0] or one for one in left)}\n")
        now = f"{await _moves(store)} {waiting}"
        stuck = now == before and (waiting or await _overdue(store))
        still, before = still + 1 if stuck else 0, now
    return [f"nothing has moved for {PATIENCE * LOOK_EVERY} seconds:", *left]


async def _moves(store: Store) -> tuple[int, int]:
    """Count what has ever been done here: entries in the ledger, and attempts to send."""
    async with store.snapshot() as view:
        attempts = [row["attempt"] for row in await view.select(outbox_rows, select(outbox_rows))]
        return view.meta["ledger_count"], sum(attempts)


async def _overdue(store: Store) -> bool:
    """Say whether anything should have happened by now, rather than be waited for."""
    async with store.snapshot() as view:
        sent = await view.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.due_at <= view.now))
        came = await view.select(inbox_rows, select(inbox_rows).where(inbox_rows.c.due_at <= view.now))
    return bool(sent or came)


async def _courier(store: Store) -> None:
    async def take(alarm: Alarm) -> bool:
        return True

    while True:
        await AlarmCourier(store, take).run_once()
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    sys.exit(asyncio.run(live(Settings(**json.loads(sys.argv[1])))))
