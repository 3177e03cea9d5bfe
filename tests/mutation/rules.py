"""`python -m tests.mutation.rules [KIND...]`: do the worked cases notice a fault in the disclosure rules?

Puts every small fault of `rule_mutants` into the common rules, into each agency's own, and into what `agency.toml` says
of its types, and decides the cases again: our own (in full, see `tests/unit/disclosure/whole.py`), and the shared ones
where they are on this machine. A fault with
which the adapter would not start counts as noticed. Exits 1 below the bar.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from adapters.kit.disclosure import RuleFiles, RulePackInvalidError, build_pack, load_pack
from adapters.kit.disclosure.cases import Case, decide_case, disagreements, read_cases
from adapters.kit.disclosure.pack import COMMON_FILES, Pack, installed_files, installed_texts
from schemas.agency import AGENCY_KINDS
from tests.mutation.rule_mutants import RuleMutant, policy_mutants, type_mutants
from tests.unit.disclosure.whole import DECISIONS, in_full

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = Path(__file__).with_name("rule_survivors.toml")
FOLDERS = (ROOT / "tests/unit/disclosure/cases", ROOT.parent / "shared/cases")
COMMON = "common"
SEEN = json.loads(DECISIONS.read_text("utf-8"))


@dataclass(frozen=True)
class Judged:
    """One fault, where it was put, and whether a case noticed."""

    where: str
    mutant: RuleMutant
    noticed: bool
    argument: str | None

    def __str__(self) -> str:
        return f"survived  {self.where}  {self.mutant}" + (f"  [{self.argument}]" if self.argument else "")


def main(arguments: Sequence[str]) -> int:
    """Try every fault, print the ones that no case noticed, and the figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.rules")
    parser.add_argument("kinds", nargs="*", default=[COMMON, *AGENCY_KINDS])
    parser.add_argument("--bar", type=float, default=90.0)
    options = parser.parse_args(arguments)
    cases = all_cases()
    judged = []
    for one in chain.from_iterable(_tried(kind, cases) for kind in options.kinds):
        judged.append(one)
        if not one.noticed:
            print(one, flush=True)  # noqa: T201 a program that speaks to a person
    noticed = sum(one.noticed for one in judged)
    argued = sum(not one.noticed and one.argument is not None for one in judged)
    share = 100 * noticed / len(judged)
    print(f"{noticed} of {len(judged)} faults in the rules noticed: {share:.1f} %; argued for: {argued}")  # noqa: T201
    return 0 if share >= options.bar else 1


def all_cases() -> tuple[Case, ...]:
    """Give every worked case that is on this machine."""
    paths = chain.from_iterable(sorted(folder.glob("*.yaml")) for folder in FOLDERS)
    return tuple(chain.from_iterable(read_cases(path) for path in paths if path.name != "context.yaml"))


def _tried(kind: str, cases: Sequence[Case]) -> Iterator[Judged]:
    arguments = _arguments()
    for where, mutant, files_of in _faults(kind):
        argument = arguments.get((where, mutant.name, mutant.change))
        yield Judged(where, mutant, _noticed(mutant, files_of, cases), argument)


def _faults(kind: str) -> Iterator[tuple[str, RuleMutant, Mapping[str, RuleFiles]]]:
    """Give each fault with the rule files of every agency that it concerns."""
    if kind == COMMON:
        texts = installed_texts(AGENCY_KINDS[0])
        for name in COMMON_FILES:
            for mutant in policy_mutants(texts[name]):
                yield (
                    name,
                    mutant,
                    {one: RuleFiles.of({**installed_texts(one), name: mutant.text}) for one in AGENCY_KINDS},
                )
        return
    files = installed_files(kind)
    for mutant in policy_mutants(files.own):
        yield f"{kind}/rules.cedar", mutant, {kind: replace(files, own=mutant.text)}
    for mutant in type_mutants(files.facts):
        yield f"{kind}/agency.toml", mutant, {kind: replace(files, facts=mutant.text)}


def _noticed(mutant: RuleMutant, files_of: Mapping[str, RuleFiles], cases: Sequence[Case]) -> bool:
    """Ask the likeliest cases of every agency before the others, so that few packs have to be built for a fault."""
    packs: dict[str, Pack] = {}
    for case in sorted((case for case in cases if case.agency in files_of), key=_likeliest(mutant.name)):
        try:
            pack = packs.get(case.agency) or build_pack(case.agency, files=files_of[case.agency])
        except RulePackInvalidError:
            return True
        packs[case.agency] = pack
        if _is_noticed(case, pack):
            return True
    return False


def _is_noticed(case: Case, pack: Pack) -> bool:
    """Say whether a case comes out otherwise: against what it expects, or, of our own, against the whole decision."""
    decision = decide_case(case, pack=pack)
    return any(disagreements(decision, expect=case.expect)) or in_full(decision) != SEEN.get(case.id, in_full(decision))


def _likeliest(name: str) -> Callable[[Case], bool]:
    def key(case: Case) -> bool:
        return case.record.get("record_type") != name and name not in _applied(case)

    return key


_KNOWN: dict[str, frozenset[str]] = {}


def _applied(case: Case) -> frozenset[str]:
    """Give the rules that apply to a case: without one of them it is likeliest to come out otherwise."""
    if case.id not in _KNOWN:
        _KNOWN[case.id] = frozenset(decide_case(case, pack=load_pack(case.agency)).determined_by)
    return _KNOWN[case.id]


def _arguments() -> dict[tuple[str, str, str], str]:
    listed = tomllib.loads(ARGUMENTS.read_text("utf-8")).get("survivor", [])
    return {(one["where"], one["name"], one["change"]): one["why"] for one in listed}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
