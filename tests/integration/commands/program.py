"""The program `mash` as a person runs it: another process, its exit code, and what it says where.

The process is forked from one that has everything imported, since most of a call's time goes into importing; that the
installed program is this one is held by `test_bad_input.py` and `test_evidence_round.py`, which start it from its file.
"""

import json
import os
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
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


_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.integration.commands.preloaded"])


def mash(*arguments: str, home: Path, user: str = "p-example") -> Ran:
    """Run `mash` in a home and a user's name."""
    environment = {**os.environ, "MASH_HOME": str(home), "MASH_USER": user, "TERM": "dumb", "COLUMNS": "100"}
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _CONTEXT.Process(target=_call, args=(arguments, environment, out, err, Path.cwd()))
        process.start()
        process.join(120)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode is not None
        return Ran(arguments, process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _call(arguments: tuple[str, ...], environment: dict[str, str], out: Path, err: Path, folder: Path) -> None:
    """Be the program, in a process of its own."""
    from adapters.cli.main import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, file in ((sys.stdout, out), (sys.stderr, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), stream.fileno())
    sys.argv = ["mash", *arguments]
    main()


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
