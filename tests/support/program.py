"""The program `mash` in this process: what it says, where, and with which exit code. Much quicker than a process."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from adapters.cli import main


@dataclass(frozen=True)
class Said:
    """One call that has ended."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str


def mash(*arguments: str, home: Path, user: str = "") -> Said:
    """Run `mash` in a home and a user's name."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["mash", *arguments])
        patch.setattr(os, "environ", {**os.environ, "MASH_HOME": str(home), "MASH_USER": user, "COLUMNS": "300"})
        try:
            main.main()
        except SystemExit as ended:
            return Said(arguments, int(ended.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a program ends by leaving")


def with_clock(now: datetime, *arguments: str, home: Path, user: str = "") -> Said:
    """Run `mash` on a machine whose clock shows `now`."""
    from adapters.kit.running import adapter

    opened = adapter.Adapter.opened
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "wall_clock", lambda: now)
        patch.setitem(opened.__func__.__wrapped__.__kwdefaults__, "clock", lambda: now)  # type: ignore[attr-defined]  # a class method in a context manager
        return mash(*arguments, home=home, user=user)
