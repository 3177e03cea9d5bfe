"""Which decisions a change of rules alters, before anybody signs it.

Both sets of rules decide on the same cases; what differs is shown with its direction, since a rule change that opens
a record is another thing than one that closes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters.kit.disclosure.cases import Case, CaseFileError, decide_case, read_cases
from adapters.kit.disclosure.decision import Decision
from adapters.kit.disclosure.pack import COMMON_FILES, SCHEMA_FILE, Pack, RuleFiles, build_pack, installed_texts
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import OUTCOMES_OPEN_TO_STRICT

_NOT_COMPARED: Final = frozenset({"record_id", "pack_hash", "facts_hash", "determined_by"})


@dataclass(frozen=True)
class Change:
    """One case that is decided otherwise: each field with what it was and what it would be."""

    case: str
    title: str
    direction: str
    fields: Mapping[str, tuple[Any, Any]]

    def as_plain(self) -> dict[str, Any]:
        """Give the change as plain values."""
        fields = {name: {"old": old, "new": new} for name, (old, new) in self.fields.items()}
        return {"case": self.case, "title": self.title, "direction": self.direction, "fields": fields}

    def line(self) -> str:
        """Give the change as one line of text."""
        fields = "; ".join(f"{name}: {old} -> {new}" for name, (old, new) in self.fields.items())
        return f"{self.direction:<8}{self.case}  {self.title}  {fields}"


def altered(old: Path, new: Path, *, case_files: Sequence[Path], agency: str | None = None) -> tuple[Change, ...]:
    """Compare the rules at `old` and `new` on every case of the agency concerned.

    A path is a rule file or a folder: an agency's own, or one that holds a folder for every kind. What a path lacks is
    taken from the installed rules. Raises `RulePackInvalidError` and `CaseFileError`.
    """
    kinds = {agency} if agency else _kinds(old) | _kinds(new)
    if not kinds:
        raise CaseFileError("say with --agency whose rules these are")
    packs: dict[str, tuple[Pack, Pack]] = {}
    pairs = []
    for case in (case for path in case_files for case in read_cases(path) if case.agency in kinds):
        if case.agency not in packs:
            packs[case.agency] = (_pack(old, kind=case.agency), _pack(new, kind=case.agency))
        pairs.append(_change(case, *(decide_case(case, pack=pack) for pack in packs[case.agency])))
    if not pairs:
        raise CaseFileError(f"no case is of {', '.join(sorted(kinds))}")
    return tuple(change for change in pairs if change)


def _change(case: Case, old: Decision, new: Decision) -> Change | None:
    before, after = old.as_plain(), new.as_plain()
    fields = {
        name: (before[name], after[name])
        for name in before
        if name not in _NOT_COMPARED and _set(before[name]) != _set(after[name])
    }
    if not fields:
        return None
    step = OUTCOMES_OPEN_TO_STRICT.index(new.outcome) - OUTCOMES_OPEN_TO_STRICT.index(old.outcome)
    return Change(case.id, case.title, "closes" if step > 0 else "opens" if step < 0 else "marks", fields)


def _set(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value


def _kinds(path: Path) -> set[str]:
    """Say which kinds the rules at `path` concern: the folder's own, those it has folders for, or all; or nothing."""
    folder = path if path.is_dir() else path.parent
    if folder.name in AGENCY_KINDS:
        return {folder.name}
    inside = {kind for kind in AGENCY_KINDS if (folder / kind / "rules.cedar").is_file()}
    common = path.name in COMMON_FILES or any((folder / name).is_file() for name in COMMON_FILES)
    return inside or (set(AGENCY_KINDS) if common else set())


def _pack(path: Path, *, kind: str) -> Pack:
    texts = {**installed_texts(kind), **_texts_at(path, kind=kind)}
    return build_pack(kind, files=RuleFiles.of(texts))


def _texts_at(path: Path, *, kind: str) -> dict[str, str]:
    if path.is_file() and path.name in (*COMMON_FILES, SCHEMA_FILE):
        return {path.name: path.read_text("utf-8")}
    if path.is_file():
        facts = path.with_name("agency.toml")
        beside = {"agency.toml": facts.read_text("utf-8")} if facts.is_file() else {}
        return {"rules.cedar": path.read_text("utf-8"), **beside}
    folders = [path / "kit" / "disclosure", path / kind, path]
    names = (SCHEMA_FILE, *COMMON_FILES, "rules.cedar", "agency.toml")
    return {
        name: (folder / name).read_text("utf-8") for folder in folders for name in names if (folder / name).is_file()
    }
