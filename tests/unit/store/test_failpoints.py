"""Failpoints are inert without their variable, and cannot be misspelt."""

import subprocess
import sys

import pytest

from adapters.kit import failpoints
from adapters.kit.failpoints import POINTS, UnknownFailpoint, _armed, reach


def test_every_name_is_of_the_design() -> None:
    """C01 to C44, without the broker's own (C13 to C20)."""
    design = {f"C{number:02}" for number in range(1, 45)} - {f"C{number}" for number in range(13, 21)}
    assert set(POINTS) == design


def test_nothing_happens_without_the_variable() -> None:
    """In production a failpoint is one comparison, whatever it is called."""
    for name in (*POINTS, "no such point"):
        reach(name)
    assert failpoints._passages == []


@pytest.mark.parametrize("text", ["C99", "c08", "C08:x", "C13", "C08:-1"])
def test_a_misspelt_failpoint_stops_the_program(text: str) -> None:
    """A crash test that kills nothing must not pass."""
    with pytest.raises(UnknownFailpoint):
        _armed(text)


@pytest.mark.parametrize(("armed", "survives"), [("C08", 0), ("C08:3", 2)])
def test_an_armed_process_dies_of_sigkill_at_the_passage_asked_for(armed: str, survives: int) -> None:
    """The real signal: nothing is flushed and no handler runs."""
    program = "from adapters.kit.failpoints import reach\nfor n in range(5):\n reach('C08'); print(n, flush=True)"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"MASH_FAILPOINT": armed}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (-9, [str(number) for number in range(survives)])
