"""The program `mash` as a person runs it: another process, its exit code, and what it says where."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("Ashgrove", "Holloway", "Marsh-Test", "Tilly", "Carys", "P. Example", "9990100144", "1994-05-19")


@dataclass(frozen=True)
class Ran:
    """One call that has ended."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        plain = json.loads(self.out)
        assert isinstance(plain, dict)
        return plain


def mash(*arguments: str, home: Path, user: str = "p-example") -> Ran:
    """Run `mash` in a home and a user's name."""
    environment = {**os.environ, "MASH_HOME": str(home), "MASH_USER": user, "TERM": "dumb", "COLUMNS": "100"}
    done = subprocess.run(
        [Path(sys.executable).with_name("mash"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(arguments, done.returncode, done.stdout, done.stderr)


def is_a_plain_no(ran: Ran) -> None:
    """Assert that a call was refused as the house refuses: reasons on standard error, nothing else, and no name."""
    assert ran.code == 1, ran
    assert ran.out == ""
    assert ran.err
    assert all(line.startswith("mash: ") for line in ran.err.splitlines()), ran.err
    says_nobody(ran)


def says_nobody(ran: Ran) -> None:
    """Assert that no person stands on standard error, and no traceback."""
    assert "Traceback" not in ran.err
    assert "fault of the program" not in ran.err
    assert not [name for name in NAMES if name in ran.err], ran.err
