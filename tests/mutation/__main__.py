"""`python -m tests.mutation PATH... --tests TEST...`: how many small faults do the tests notice, and which not?

PATH is a module or a folder of modules. The last line is the figure; every survivor is printed before it, with the
argument from `survivors.toml` where there is one. Exits 1 below the bar, 2 where the tests are red without a fault.
"""

import argparse
import json
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.mutation.covering import Covered, TestsAreRed, covered
from tests.mutation.killing import PYTEST, Faulty, Killer, Verdict
from tests.mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = Path(__file__).with_name("survivors.toml")

# File, line, change.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Tried:
    """One fault and what became of it; without a fault, the module as it is, put in its own place.

    `line`: the text of the line; `argument`: why the fault cannot be noticed.
    """

    path: Path
    mutant: Mutant | None
    verdict: Verdict
    line: str
    argument: str | None

    def __str__(self) -> str:
        said = f"  [{self.argument}]" if self.argument else ""
        return f"{self.verdict}  {self.path.relative_to(ROOT)}:{self.mutant}{said}"


def main(arguments: Sequence[str]) -> int:
    """Try every fault and say what came of it."""
    options = _options(arguments)
    paths = [found for path in options.paths for found in _modules(ROOT / path)]
    try:
        with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
            known = covered(paths, tests=options.tests, scratch=Path(scratch))
    except TestsAreRed as fault:
        print(f"{TestsAreRed.__doc__} {fault}", file=sys.stderr)  # noqa: T201 a program that speaks to a person
        return 2
    results = _tried(paths, known=known, options=options)
    unsound = [one for one in results if one.mutant is None]
    if any(one.verdict is not Verdict.SURVIVED for one in unsound):
        print("The tests fail when the sound modules are put in their own places.", file=sys.stderr)  # noqa: T201 likewise
        return 2
    faults = [one for one in results if one.mutant is not None]
    if options.report:
        options.report.write_text(json.dumps([_plain(one) for one in faults], indent=1), "utf-8")
    return _summed_up(faults, bar=options.bar)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--tests", nargs="+", required=True, help="files or folders of tests that have to notice")
    parser.add_argument("--bar", type=float, default=90.0, help="percentage that has to be killed")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-k", metavar="EXPRESSION", help="only the tests that pytest would choose with it")
    parser.add_argument("--no-conftest", action="store_true", help="the tests need no fixture from a conftest.py")
    parser.add_argument("--every", type=int, default=1, help="try every n-th fault only, for a first look")
    parser.add_argument("--quick", type=int, metavar="N", help="at most N tests a fault, no control: for a first look")
    parser.add_argument("--report", type=Path, help="write every fault and its verdict here, as JSON")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(arguments)
    options.tests += ["--noconftest"] * options.no_conftest + (["-k", options.k] if options.k else [])
    return options


def _modules(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _tried(paths: Sequence[Path], *, known: Covered, options: argparse.Namespace) -> list[Tried]:
    """Try all modules in their places without a fault, as a control, and then every fault."""
    arguments = _arguments()
    control: list[tuple[Path, Mutant | None]] = [(paths[0], None)]
    work = [] if options.quick else control
    work += [(path, mutant) for path in paths for mutant in mutants_of(path.read_text("utf-8"))][:: options.every]
    results: list[Tried] = []

    def told(number: int, verdict: Verdict) -> None:
        path, mutant = work[number]
        one = _judged(path, mutant, verdict, arguments)
        results.append(one)
        if mutant and (verdict is Verdict.SURVIVED or options.verbose):
            print(one, file=sys.stderr, flush=True)  # noqa: T201 likewise

    sound = tuple(_faulty(path, None, known) for path in paths[1:])
    faults = [
        replace(_faulty(path, mutant, known), beside=() if mutant else sound, most=options.quick)
        for path, mutant in work
    ]
    killer = Killer(faults, limit=180 + 6 * known.total, jobs=options.jobs, told=told)
    pytest.main([*PYTEST, "--capture=no", "--no-header", "--no-summary", *options.tests], plugins=[killer])
    return results


def _faulty(path: Path, mutant: Mutant | None, known: Covered) -> Faulty:
    source = path.read_text("utf-8")
    first = known.first(path, mutant.line) if mutant else {}
    return Faulty(_module_name(path), path, mutant.applied(source) if mutant else source, first)


def _judged(path: Path, mutant: Mutant | None, verdict: Verdict, arguments: Mapping[Key, str]) -> Tried:
    if mutant is None:
        return Tried(path, None, verdict, "", None)
    line = path.read_text("utf-8").splitlines()[mutant.line - 1].strip()
    key = (path.relative_to(ROOT).as_posix(), line, f"{mutant.before} -> {mutant.after}")
    return Tried(path, mutant, verdict, line, arguments.get(key))


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _arguments() -> dict[Key, str]:
    listed = tomllib.loads(ARGUMENTS.read_text("utf-8")).get("survivor", [])
    return {(one["file"], one["line"], one["change"]): one["why"] for one in listed}


def _plain(one: Tried) -> dict[str, object]:
    assert one.mutant is not None
    return {
        "file": one.path.relative_to(ROOT).as_posix(),
        "number": one.mutant.line,
        "line": one.line,
        "change": f"{one.mutant.before} -> {one.mutant.after}",
        "verdict": str(one.verdict),
        "why": one.argument,
    }


def _summed_up(results: Sequence[Tried], *, bar: float) -> int:
    by_file: dict[str, Counter[Verdict]] = {}
    for one in results:
        by_file.setdefault(one.path.relative_to(ROOT).as_posix(), Counter())[one.verdict] += 1
    lines = [""]
    for name, counted in by_file.items():
        total = counted.total()
        lines.append(f"{name:58} {total - counted[Verdict.SURVIVED]:5} of {total:5} killed")
    survived = sum(one.verdict is Verdict.SURVIVED for one in results)
    argued = sum(one.verdict is Verdict.SURVIVED and one.argument is not None for one in results)
    share = 100 * (len(results) - survived) / len(results) if results else 0.0
    lines.append(f"{len(results) - survived} of {len(results)} faults killed: {share:.1f} %; argued for: {argued}")
    print("\n".join(lines))  # noqa: T201 likewise
    return 0 if share >= bar else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
