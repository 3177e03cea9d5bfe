"""Hold the rules against worked cases, the executable specification of what leaves the building."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from adapters.kit.disclosure.cases import CONTEXT_FILE, Case, decide_case, disagreements, read_cases
from adapters.kit.disclosure.pack import load_pack


@dataclass(frozen=True)
class Checked:
    """One case, and where the decision on it is not what the case expects."""

    id: str
    title: str
    agency: str
    differences: tuple[str, ...]


def check_files(paths: Iterable[Path]) -> tuple[Checked, ...]:
    """Check every case of `paths`; the shared request among them is set aside.

    Raises `CaseFileError` and `RulePackInvalidError`.
    """
    return tuple(_checked(case) for path in paths if path.name != CONTEXT_FILE for case in read_cases(path))


def _checked(case: Case) -> Checked:
    decision = decide_case(case, pack=load_pack(case.agency))
    return Checked(case.id, case.title, case.agency, tuple(disagreements(decision, expect=case.expect)))
