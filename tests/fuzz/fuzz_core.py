"""Fuzzes the core: any bytes lead to a stub or a reason, and what is accepted says the same when written anew."""

from schemas.envelope import MAX_CORE
from schemas.stub import BadCore, read_core, write_core
from tests.fuzz.harness import frames, run


def target(raw: bytes) -> None:
    """Read the bytes as a core, and what was read once more."""
    stub = read_core(raw[:MAX_CORE])
    if not isinstance(stub, BadCore) and read_core(write_core(stub)) != stub:
        raise AssertionError("a core does not survive being written")


if __name__ == "__main__":
    run(target, (frame.head.core for frame in frames()))
