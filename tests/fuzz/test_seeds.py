"""The fuzzing programs themselves hold on their seeds and on random changes of them; `make fuzz` runs them for long."""

import random
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.fuzz import fuzz_core, fuzz_directory, fuzz_envelope, fuzz_receipt, fuzz_stub
from tests.fuzz.harness import Target, bodies, frames
from tests.fuzz.mutator import Mutator

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


def test_a_hostile_sender_in_the_fuzzer_gets_past_the_signature_to_every_later_check() -> None:
    """Blind changes end at E09: the mutator's envelopes are refused by each of the checks behind it as well."""
    dice = random.Random(9)  # noqa: S311  # repeatable changes, not secrets
    mutator = Mutator(fuzz_envelope.WORLD, lambda raw, size: changed(raw, dice)[:size])
    seeds = [body for body in bodies() if len(body) < 20_000]
    met = Counter(fuzz_envelope.target(mutator(dice.choice(seeds), 20_000, seed)) for seed in range(2_000))
    later = {f"E{number}" for number in (10, *range(14, 23))}
    assert later - met.keys() == set()
