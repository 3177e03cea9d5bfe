"""Fuzzes what the hub does with a stub: any bytes lead to a verified stub or a refusal, and reading is exact."""

from datetime import UTC, datetime

from adapters.kit.envelope.conformance import load_world
from broker.verify import Circumstances, Refusal, check_envelope
from schemas.envelope import Frame, read_stub
from tests.fuzz.harness import VECTORS, frames, run

WORLD = load_world(VECTORS)
AROUND = Circumstances("testford-la", None, False, WORLD.directory, datetime(2026, 11, 24, 10, 13, tzinfo=UTC))


def target(raw: bytes) -> None:
    """Verify the bytes as a stub."""
    outcome = check_envelope(raw, AROUND, stub_only=True)
    if isinstance(outcome, Refusal) and outcome.code == "E99":
        raise AssertionError(outcome.detail)
    frame = read_stub(raw)
    if isinstance(frame, Frame) and frame.stub != raw:
        raise AssertionError("a stub was not read to its end")


if __name__ == "__main__":
    run(target, (frame.stub for frame in frames()))
