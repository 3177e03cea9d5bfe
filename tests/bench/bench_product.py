"""Throughput of the whole product: `python -m tests.bench.bench_product [--count 200] [--rounds 3] [--postgres]`.

Request, RECEIVED, OPENED, answer, RECEIVED, OPENED between two adapters in processes of their own: sealing, checking,
opening, stores that are durable before anything is acknowledged, signed receipts, one private RabbitMQ. Against it, in
turns in the same run, bare aio-pika in two processes moving the very same bytes, persistent and confirmed, over queues
of the same names and kind in a vhost beside (two consumers of one queue would share it out).
The ratio is the figure; how busy the machine was is printed, because it is in all of them but the ratio.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from typing import Any

from deploy.demo.agencies import COUNCIL
from deploy.local.postgres import postgres
from deploy.local.rabbitmq import rabbitmq
from tests.bench.area import POLICE, Area, Program, area, program, station_command
from tests.bench.load import spread
from tests.bench.machine import work

WINDOW = 64


async def bare_round(made: Area, bodies: Path, *, count: int) -> dict[str, Any]:
    """Move `count` requests and what follows them with bare aio-pika; seconds and latencies."""
    async with AsyncExitStack() as stack:
        ends = []
        for me, peer in ((POLICE, COUNCIL), (COUNCIL, POLICE)):
            told: dict[str, Any] = {"hub": made.bare_hubs[me], "me": me, "peer": peer, "bodies": str(bodies)}
            told |= {"window": WINDOW, "count": count}
            command = [sys.executable, "-m", "tests.bench.bare", json.dumps(told)]
            ends.append(await stack.enter_async_context(program(command)))
            assert await ends[-1].hear(seconds=60) == "ready"
        ends[1].tell("go")
        found: dict[str, Any] = await ends[1].hear(seconds=600)
        return found


async def product_round(council: Program) -> float:
    """Move a round of requests through the product; the seconds until all are answered."""
    council.tell("go")
    return float((await council.hear(seconds=1200))["seconds"])


async def run(made: Area, folder: Path, *, count: int, rounds: int) -> dict[str, Any]:
    """Warm the product up, take its bytes, then let the two take turns."""
    told = {"window": WINDOW, "count": count, "bodies": str(folder)}
    async with (
        program(station_command(made.places[POLICE], role="answers", peer=COUNCIL, replies=True)) as police,
        program(station_command(made.places[COUNCIL], role="asks", peer=POLICE, **told)) as council,
    ):
        for one in (police, council):
            assert await one.hear(seconds=120) == "ready"
        await product_round(council)
        council.tell("bodies")
        assert await council.hear(seconds=60) == "written"
        await bare_round(made, folder, count=count)
        names = {police.pid: "adapter police", council.pid: "adapter council"}
        taken, bare = [], []
        before, began = work(names), time.time()
        for _ in range(rounds):
            bare.append(await bare_round(made, folder, count=count))
            taken.append(await product_round(council))
        busy = work(names).since(before, seconds=time.time() - began, count=count * rounds)
        ends = []
        for one in (council, police):
            one.tell("end")
            ends.append(await one.hear(seconds=600))
        return figures(ends, taken, bare, count=count) | {"machine": busy}


def figures(
    ends: list[dict[str, Any]], taken: list[float], bare: list[dict[str, Any]], *, count: int
) -> dict[str, Any]:
    """Work the figures out; the ratio is of all requests over all seconds of each."""
    seconds = sum(one["seconds"] for one in bare)
    product, plain = count * len(taken) / sum(taken), count * len(bare) / seconds
    return {
        "product": {
            "requests_answered_a_second": round(product, 1),
            "request_to_received": spread(ends[0]["received"]),
            "request_to_answer": spread(ends[0]["answered"]),
        },
        "bare": {
            "requests_answered_a_second": round(plain, 1),
            "request_to_received": spread([each for one in bare for each in one["received"]]),
            "request_to_answer": spread([each for one in bare for each in one["answered"]]),
        },
        "ratio": round(product / plain, 3),
        "rounds": [round(count / one, 1) for one in taken],
        "bare_rounds": [round(count / one["seconds"], 1) for one in bare],
        "envelopes_a_request": 6,
        "window": WINDOW,
        "violations": [line for end in ends for line in end["violations"]],
        "alarms": [line for end in ends for line in end["alarms"]],
    }


async def measure(*, count: int, rounds: int, on_postgres: bool) -> int:
    """Run the bench against private servers and print the figures."""
    with (
        rabbitmq() as rabbit,
        postgres() if on_postgres else nullcontext() as database,
        tempfile.TemporaryDirectory(prefix="mash-bench-") as folder,
    ):
        bodies = Path(folder) / "bodies"
        bodies.mkdir()
        async with area(Path(folder) / "area", rabbit, database, watched=False) as made:
            found = await run(made, bodies, count=count, rounds=rounds)
    found["store"] = "PostgreSQL" if on_postgres else "SQLite"
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 1 if found["violations"] or found["alarms"] else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="requests a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="stores on PostgreSQL instead of SQLite")
    wanted = parser.parse_args()
    sys.exit(asyncio.run(measure(count=wanted.count, rounds=wanted.rounds, on_postgres=wanted.postgres)))
