"""Load: `python -m tests.bench.load [--rate 50] [--seconds 120]`: the whole product at fifty requests a second.

RabbitMQ, PostgreSQL, two adapters and `mash-hub watch`, each a process of its own on this one machine. The council
sends, open loop; the police's adapter files each request as the product does. Timers run in both adapters' stores.
Judged: nothing lost and nothing twice (counted at both ends and at the tap, invariants of both stores), p99 from submit
to RECEIVED under 1 s, memory of each adapter flat and under 200 MB, no timer early or more than 1 s late.
Ends with 1 when a bound is missed. Prints what the machine was doing, because others may be using it.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from broker.ledger.ledger import Ledger
from deploy.demo.agencies import COUNCIL
from deploy.local.postgres import postgres
from deploy.local.rabbitmq import rabbitmq
from tests.bench.area import POLICE, Area, area, program, station_command, watch_command
from tests.bench.machine import memory_mb, work

P99_LIMIT, MEMORY_LIMIT_MB, LATE_LIMIT = 1.0, 200.0, 1.0
FLAT_MB = 15.0
ENVELOPES_A_REQUEST = 3  # the request, RECEIVED and OPENED


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Give the middle, the 99th of a hundred and the worst, in milliseconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    return {
        "p50_ms": round(statistics.median(ordered) * 1000, 1),
        "p99_ms": round(ordered[max(0, int(len(ordered) * 0.99) - 1)] * 1000, 1),
        "max_ms": round(ordered[-1] * 1000, 1),
    }


def memory(samples: Sequence[float]) -> dict[str, float]:
    """Give the memory when the load has just begun, in the middle and at the end, in MiB."""
    if not samples:
        return {}
    places = {"start": min(5, len(samples) - 1), "middle": len(samples) // 2, "end": len(samples) - 1}
    return {**{name: round(samples[place], 1) for name, place in places.items()}, "max": round(max(samples), 1)}


async def run(made: Area, *, rate: float, seconds: float, timers: int) -> dict[str, Any]:
    """Run the load over an area that stands ready, and give the figures."""
    common = {"seconds": seconds, "timers": timers}
    async with (
        program(watch_command(made)) as watch,
        program(station_command(made.places[POLICE], role="answers", peer=COUNCIL, **common)) as police,
        program(station_command(made.places[COUNCIL], role="asks", peer=POLICE, rate=rate, **common)) as council,
    ):
        for one in (police, council):
            assert await one.hear(seconds=60) == "ready"
        names = {watch.pid: "watch", police.pid: "adapter police", council.pid: "adapter council"}
        before, began = work(names), time.time()
        for one in (police, council):
            one.tell("go")
        await council.hear(seconds=seconds * 20)
        asking = time.time() - began
        ends = {}
        for name, one in (("council", council), ("police", police)):  # when one has all receipts, the other is done
            one.tell("end")
            ends[name] = await one.hear(seconds=600)
        tapped = await _tapped(made, ENVELOPES_A_REQUEST * ends["council"]["asked"])
        busy = work(names).since(before, seconds=time.time() - began, count=ends["council"]["asked"])
        for one in (council, police):
            one.tell("leave")
        return figures(ends, tapped, busy) | {"asking_seconds": round(asking, 1), "watch_mb": memory_mb(watch.pid)}


async def _tapped(made: Area, expected: int) -> int:
    """Wait until the watch has entered every envelope, or a while, and count its entries."""
    entries = 0
    async with Ledger.opened(made.watch_db, now=None) as ledger:
        for _ in range(60):
            entries = (await ledger.head()).entries
            if entries >= expected:
                break
            await asyncio.sleep(1)
    return entries


def figures(ends: dict[str, Any], tapped: int, busy: dict[str, object]) -> dict[str, Any]:
    """Work the figures out of what both ends noted."""
    council, police = ends["council"], ends["police"]
    late = [*council["timers_late"], *police["timers_late"]]
    return {
        "requests": council["asked"],
        "received": len(council["received"]),
        "states_at_sender": council["states"],
        "filed_at_recipient": police["filed"],
        "envelopes_at_the_tap": tapped,
        "violations": [*council["violations"], *police["violations"]],
        "alarms": [*council["alarms"], *police["alarms"]],
        "submit_to_received": spread(council["received"]),
        "memory_mb": {name: memory(ends[name]["memory_mb"]) for name in ends},
        "loop_stalls": {name: spread(ends[name]["stalls"]) for name in ends},
        "timers": {"fired": len(late), "early": sum(each < 0 for each in late), **spread(late)},
        "machine": busy,
    }


def missed(found: dict[str, Any], *, rate: float, seconds: float, timers: int) -> list[str]:
    """Name every bound that was missed."""
    requests = int(rate * seconds)
    memories = list(found["memory_mb"].values())
    bounds = {
        "lost or twice": (found["received"], found["filed_at_recipient"]) == (requests, requests)
        and found["states_at_sender"] == {"OPENED": requests}
        and found["envelopes_at_the_tap"] == ENVELOPES_A_REQUEST * requests,
        "invariants": not found["violations"] and not found["alarms"],
        "p99": found["submit_to_received"].get("p99_ms", 1e9) < P99_LIMIT * 1000,
        "memory": all(each["max"] < MEMORY_LIMIT_MB and each["end"] - each["start"] < FLAT_MB for each in memories),
        "timers": found["timers"]["fired"] == 2 * timers
        and not found["timers"]["early"]
        and found["timers"].get("max_ms", 0.0) <= LATE_LIMIT * 1000,
    }
    return [name for name, held in bounds.items() if not held]


async def measure(*, rate: float, seconds: float, timers: int) -> int:
    """Run the load against private servers, print the figures; 0 when every bound was kept."""
    with rabbitmq() as rabbit, postgres() as database, tempfile.TemporaryDirectory(prefix="mash-load-") as folder:
        async with area(Path(folder), rabbit, database, watched=True) as made:
            found = await run(made, rate=rate, seconds=seconds, timers=timers)
    found["missed"] = missed(found, rate=rate, seconds=seconds, timers=timers)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 1 if found["missed"] else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--timers", type=int, default=600, help="in each adapter's store, spread over the run")
    wanted = parser.parse_args()
    sys.exit(asyncio.run(measure(rate=wanted.rate, seconds=wanted.seconds, timers=wanted.timers)))
