"""Fuzzes delivery and opening: any bytes lead to an arrival or a refusal, never to an exception or to E99."""

from datetime import UTC, datetime
from functools import partial

from adapters.kit.envelope.conformance import load_world
from adapters.kit.envelope.verification import Arrival, Opened, Refusal, check_arrival, open_arrival
from schemas.envelope import Frame, read_envelope, write_head
from schemas.routing import Lane
from schemas.stub import Stub, read_core
from tests.fuzz.harness import VECTORS, bodies, run
from tests.fuzz.mutator import Mutator

WORLD = load_world(VECTORS)
NOW = datetime(2026, 11, 24, 10, 13, tzinfo=UTC)


def target(raw: bytes) -> str:
    """Deliver the bytes; then open them as if they had been authentic, which is deeper than an attacker gets.

    Gives the code with which an attacker's envelope would have ended, or OK.
    """
    frame = read_envelope(raw)
    stub = read_core(frame.head.core) if isinstance(frame, Frame) else None
    outcome = check_arrival(
        raw,
        me=WORLD.keys.participant,
        ingress_owner="testford-la",
        lane=stub.lane if isinstance(stub, Stub) else Lane.URGENT,
        has_cc=False,
        directory=WORLD.directory,
        now=NOW,
    )
    if isinstance(frame, Frame) and write_head(frame.head) != frame.signed:
        raise AssertionError("a head has two spellings")
    code, opened = _foreseen(outcome), "OK"
    if isinstance(frame, Frame) and isinstance(stub, Stub):
        arrival = Arrival(stub, frame.stub_hash, raw)
        opened = _foreseen(open_arrival(arrival, keys=WORLD.keys, directory=WORLD.directory))
    return opened if code == "OK" else code


def _foreseen(outcome: Arrival | Opened | Refusal) -> str:
    if not isinstance(outcome, Refusal):
        return "OK"
    if outcome.code == "E99":
        raise AssertionError(outcome.detail)
    return outcome.code


if __name__ == "__main__":
    run(target, bodies(), mutator=partial(Mutator, WORLD))
