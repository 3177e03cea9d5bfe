"""The fuzzing programs themselves hold on their seeds and on random changes of them; `make fuzz` runs them for long."""

import random
from collections.abc import Iterable

import pytest

from tests.fuzz import fuzz_core, fuzz_directory, fuzz_envelope, fuzz_receipt, fuzz_stub
from tests.fuzz.harness import Target, bodies, frames

PROGRAMS: dict[str, tuple[Target, Iterable[bytes]]] = {
    "envelope": (fuzz_envelope.target, list(bodies())[::12]),
    "stub": (fuzz_stub.target, [frame.stub for frame in frames()][::12]),
    "core": (fuzz_core.target, [frame.head.core for frame in frames()]),
    "receipt": (fuzz_receipt.target, fuzz_receipt._seeds()),
    "directory": (fuzz_directory.target, fuzz_directory._seeds()),
}


def changed(raw: bytes, dice: random.Random) -> bytes:
    """Overwrite, cut out or repeat a short piece somewhere."""
    place, length = dice.randrange(len(raw) + 1), dice.randrange(1, 9)
    piece = dice.choice(
        (dice.randbytes(length), raw[place : place + length] * 2, b"", b"\0" * length, b"\xff" * length)
    )
    return raw[:place] + piece + raw[place + dice.choice((0, length)) :]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_exception_escapes_from_seeds_and_their_neighbours(name: str) -> None:
    """E99 is for what nobody foresaw: none of these inputs may lead there."""
    target, seeds = PROGRAMS[name]
    dice = random.Random(name)  # noqa: S311  # repeatable changes, not secrets
    for seed in seeds:
        target(seed)
        for _ in range(10):
            target(changed(seed, dice))
