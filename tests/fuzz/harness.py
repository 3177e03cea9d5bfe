"""What every fuzzing program here does: seeds from the vectors, a property that must hold for any bytes, atheris.

    python -m tests.fuzz.fuzz_envelope [-runs=N] [CORPUS]

The property is always that nothing escapes but a value, and that what is accepted is written back identically.
Without arguments a program runs 2,000,000 inputs; `-runs=0` runs the seeds alone, which a test does.
"""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType
from typing import Any

from adapters.kit.envelope.conformance import DIRECTORY_FILE, KEYS_FILE, body_of
from schemas.envelope import Frame, read_envelope

VECTORS = Path(__file__).parents[2] / "schemas" / "vectors"
RUNS = 2_000_000

UNDER_TEST = frozenset({"schemas", "broker", "adapters", "json"})

Target = Callable[[bytes], object]
Alter = Callable[[bytes, int], bytes]
Mutate = Callable[[bytes, int, int], bytes]


def bodies() -> Iterator[bytes]:
    """Give the envelopes of all vectors, but for the huge ones."""
    for file in sorted(VECTORS.glob("*.json")):
        if file.name not in (DIRECTORY_FILE, KEYS_FILE):
            body = body_of(json.loads(file.read_bytes()))
            if len(body) < 100_000:
                yield body


def frames() -> Iterator[Frame]:
    """Give the envelopes of the vectors that are framed well."""
    for body in bodies():
        frame = read_envelope(body)
        if isinstance(frame, Frame):
            yield frame


def _instrument(atheris: Any) -> None:
    """Let libFuzzer see the branches of what is under test, and not those of the whole standard library."""
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and (thing.__module__ or "").partition(".")[0] in UNDER_TEST:
            atheris.instrument_func(thing)


def run(target: Target, seeds: Iterator[bytes], *, mutator: Callable[[Alter], Mutate] | None = None) -> None:
    """Fuzz `target`, beginning with the seeds, until it fails or the runs are over."""
    import atheris  # type: ignore[import-untyped]  # ships no types

    with TemporaryDirectory(prefix="mash-fuzz-") as corpus:
        for number, seed in enumerate(seeds):
            (Path(corpus) / f"{number:04}").write_bytes(seed)
        words = sys.argv if any(word.startswith("-runs") for word in sys.argv) else [*sys.argv, f"-runs={RUNS}"]
        _instrument(atheris)
        own = {} if mutator is None else {"custom_mutator": mutator(lambda raw, size: atheris.Mutate(raw, size))}
        atheris.Setup([*words, "-max_len=20000", corpus], target, **own)
        atheris.Fuzz()
