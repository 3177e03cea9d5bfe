"""`python -m tests.mutation.plan [WORD...]`: try every run of `plan.toml`, or those of whose modules a path has a WORD.

Each run is a process of its own, because faults are put into loaded modules. Exits 1 if a run is below the bar.
"""

import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLAN = Path(__file__).with_suffix(".toml")


def main(words: Sequence[str]) -> int:
    """Try the runs one after the other, all of them whatever the first ones find."""
    runs = tomllib.loads(PLAN.read_text("utf-8"))["run"]
    chosen = [run for run in runs if not words or any(word in path for word in words for path in run["paths"])]
    ended = [subprocess.run(command_of(run), check=False).returncode for run in chosen]
    return max(ended, default=2)


def command_of(run: Mapping[str, Any]) -> list[str]:
    """Give the command of one run."""
    command = [sys.executable, "-m", "tests.mutation", *run["paths"], "--tests", *run["tests"]]
    command += ["-k", run["k"]] if "k" in run else []
    return command + ["--no-conftest"] * run.get("no_conftest", False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
