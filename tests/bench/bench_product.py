"""Throughput of the whole product: `python -m tests.bench.bench_product [--count 200] [--rounds 3] [--postgres]`.

Request, RECEIVED, OPENED, answer, RECEIVED, OPENED between two adapters in processes of their own: sealing, checking,
opening, stores that are durable before anything is acknowledged, signed receipts, one private RabbitMQ. Against it, in
turns in the same run, bare aio-pika in two processes moving the very same bytes, persistent and confirmed, over queues
of the same names and kind in a vhost beside (two consumers of one queue would share it out); with the same two
processes sealing, checking and opening each envelope, and keeping nothing; and with receipts left out of that.
The ratio to the bare one is the figure. What the sealing one reaches of the bare one is the most that a product with
these envelopes can reach, and the last the most with receipts that cost nothing at all; how busy the machine was is
printed, because it is in everything but the ratios.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.demo.agencies import COUNCIL
from deploy.local.postgres import postgres
from deploy.local.rabbitmq import rabbitmq
from tests.bench.area import POLICE, Area, Program, area, program, station_command
from tests.bench.load import spread
from tests.bench.machine import work

WINDOW = 64


async def bare_round(made: Area, *, bodies: Path | None, sealing: bool, count: int) -> dict[str, Any]:
    """Move `count` requests and what follows them with bare aio-pika: from `bodies`, `sealing` them, or receipts only
    from `bodies`."""
    async with AsyncExitStack() as stack:
        ends = []
        for me, peer in ((POLICE, COUNCIL), (COUNCIL, POLICE)):
            told: dict[str, Any] = {"hub": made.bare_hubs[me], "me": me, "peer": peer}
            told |= {"window": WINDOW, "count": count}
            told |= {"bodies": str(bodies)} if bodies else {}
            told |= {"place": asdict(made.places[me])} if sealing else {}
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
        await bare_round(made, bodies=folder, sealing=False, count=count)
        names = {police.pid: "adapter police", council.pid: "adapter council"}
        taken, bare, sealing, messages_only = [], [], [], []
        before, began = work(names), time.time()
        for _ in range(rounds):
            bare.append(await bare_round(made, bodies=folder, sealing=False, count=count))
            sealing.append(await bare_round(made, bodies=None, sealing=True, count=count))
            messages_only.append(await bare_round(made, bodies=folder, sealing=True, count=count))
            taken.append(await product_round(council))
        busy = work(names).since(before, seconds=time.time() - began, count=count * rounds)
        ends = []
        for one in (council, police):
            one.tell("end")
            ends.append(await one.hear(seconds=600))
        return figures(ends, taken, (bare, sealing, messages_only), count=count) | {"machine": busy}


Rounds = list[dict[str, Any]]


def _contender(seconds: list[float], received: list[float], answered: list[float], *, count: int) -> dict[str, Any]:
    return {
        "requests_answered_a_second": round(count * len(seconds) / sum(seconds), 1),
        "rounds": [round(count / one, 1) for one in seconds],
        "request_to_received": spread(received),
        "request_to_answer": spread(answered),
    }


def _without_the_product(rounds: Rounds, *, count: int) -> dict[str, Any]:
    received, answered = ([each for one in rounds for each in one[what]] for what in ("received", "answered"))
    return _contender([one["seconds"] for one in rounds], received, answered, count=count)


def figures(ends: Rounds, taken: list[float], others: tuple[Rounds, Rounds, Rounds], *, count: int) -> dict[str, Any]:
    """Work the figures out; a ratio is of all requests over all seconds of each."""
    bare, sealing, messages_only = (_without_the_product(rounds, count=count) for rounds in others)
    product = _contender(taken, ends[0]["received"], ends[0]["answered"], count=count)
    contenders = (product, bare, sealing, messages_only)
    rate, plain, sealed, lighter = (one["requests_answered_a_second"] for one in contenders)
    return {
        "product": product,
        "bare": bare,
        "bare_that_seals_and_opens": sealing,
        "bare_that_seals_and_opens_all_but_receipts": messages_only,
        "ratio": round(rate / plain, 3),
        "ratio_of_the_one_that_seals_and_opens": round(sealed / plain, 3),
        "ratio_of_the_one_whose_receipts_cost_nothing": round(lighter / plain, 3),
        "ratio_to_the_one_that_seals_and_opens": round(rate / sealed, 3),
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
