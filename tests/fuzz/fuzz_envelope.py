"""Fuzzes delivery and opening: any bytes lead to an arrival or a refusal, never to an exception or to E99."""

from datetime import UTC, datetime

from adapters.kit.envelope.conformance import load_world
from adapters.kit.envelope.verification import Arrival, Refusal, check_arrival, open_arrival
from schemas.envelope import Frame, read_envelope, write_head
from schemas.routing import Lane
from schemas.stub import BadCore, read_core
from tests.fuzz.harness import VECTORS, bodies, run

WORLD = load_world(VECTORS)
NOW = datetime(2026, 11, 24, 10, 13, tzinfo=UTC)


def target(raw: bytes) -> None:
    """Deliver the bytes; then open them as if they had been authentic, which is deeper than an attacker gets."""
    outcome = check_arrival(
        raw,
        me=WORLD.keys.participant,
        ingress_owner="testford-la",
        lane=Lane.URGENT,
        has_cc=False,
        directory=WORLD.directory,
        now=NOW,
    )
    if isinstance(outcome, Refusal) and outcome.code == "E99":
        raise AssertionError(outcome.detail)
    frame = read_envelope(raw)
    if isinstance(frame, Frame):
        if write_head(frame.head) != frame.signed:
            raise AssertionError("a head has two spellings")
        stub = read_core(frame.head.core)
        if not isinstance(stub, BadCore):
            _open(Arrival(stub, frame.stub_hash, raw))


def _open(arrival: Arrival) -> None:
    outcome = open_arrival(arrival, keys=WORLD.keys, directory=WORLD.directory)
    if isinstance(outcome, Refusal) and outcome.code == "E99":
        raise AssertionError(outcome.detail)


if __name__ == "__main__":
    run(target, bodies())
