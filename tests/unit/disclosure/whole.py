"""Every decision of our own cases in full, as it was when somebody last looked: `decisions.json` beside this file.

A case names what it is about; this holds the rest. `python -m tests.unit.disclosure.whole` writes the file anew after a
change of rules, and the difference that git shows is what has to be signed.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapters.kit.disclosure import Decision, load_pack
from adapters.kit.disclosure.cases import Case, decide_case, read_cases

HERE = Path(__file__).parent
DECISIONS = HERE / "decisions.json"
_CHANGES_WITH_ANY_LETTER = ("pack_hash", "facts_hash", "record_id")


def own_cases() -> tuple[Case, ...]:
    """Give our own cases, file by file."""
    paths = [path for path in sorted((HERE / "cases").glob("*.yaml")) if path.name != "context.yaml"]
    return tuple(case for path in paths for case in read_cases(path))


def in_full(decision: Decision) -> dict[str, Any]:
    """Give everything of a decision that a rule settles, empty fields left out."""
    plain = decision.as_plain()
    return {name: value for name, value in plain.items() if value and name not in _CHANGES_WITH_ANY_LETTER}


def all_in_full(cases: Iterable[Case]) -> dict[str, Any]:
    """Decide on every case by the installed rules."""
    return {case.id: in_full(decide_case(case, pack=load_pack(case.agency))) for case in cases}


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(seen)}" for name, seen in all_in_full(own_cases()).items()]
    DECISIONS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
