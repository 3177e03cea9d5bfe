"""Worked cases: a record, what is changed about the shared request, and what must leave the building.

The format is that of the case files: `context.yaml` lies beside them; a case's `rfi` is laid over it, maps merged key
by key, lists and scalars replacing, null clearing. A case names only the fields that it checks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from adapters.kit.disclosure.decision import INCOMPLETE_RFI, Assessment, Decision, Gap
from adapters.kit.disclosure.pack import Pack
from adapters.kit.disclosure.reading import RequestUnreadableError, read_record, read_request
from schemas.content.codes import Outcome

CONTEXT_FILE: Final = "context.yaml"
_AS_IT_STANDS: Final = ("outcome", "refer_to", "bounce")
_WHOLE_SETS: Final = ("onward", "approvals_needed", "sealed_for")
_AMONG: Final = ("reasons", "conditions", "alert", "redact")
_FIELDS: Final = frozenset({*_AS_IT_STANDS, *_WHOLE_SETS, *_AMONG, "never"})


class CaseFileError(Exception):
    """The case file cannot be read as worked cases. Correct it; nothing was decided."""


@dataclass(frozen=True, repr=False)
class Case:
    """One worked case. `request` is the shared request with the case's changes laid over it, as plain values."""

    id: str
    title: str
    agency: str
    request: Mapping[str, Any]
    record: Mapping[str, Any]
    approvals: frozenset[str]
    expect: Mapping[str, Any]


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read a case file with the `context.yaml` beside it. Raises `CaseFileError`."""
    cases = _yaml(path)
    if not isinstance(cases, list) or not cases:
        raise CaseFileError(f"{path.name}: a case file is a list of cases")
    context = read_context(path.with_name(CONTEXT_FILE))
    return tuple(case_from_plain(case, context=context) for case in cases)


def read_context(path: Path) -> Mapping[str, Any]:
    """Read the request that cases share. Raises `CaseFileError`."""
    context = _yaml(path)
    if not isinstance(context, Mapping):
        raise CaseFileError(f"{path.name}: the shared request is a map")
    return context


def case_from_plain(plain: Any, *, context: Mapping[str, Any]) -> Case:
    """Make a case of plain values. `request`, where given, stands instead of `context`. Raises `CaseFileError`."""
    if not isinstance(plain, Mapping) or not isinstance(plain.get("record"), Mapping) or "agency" not in plain:
        raise CaseFileError("a case has an agency and a record")
    if not all(isinstance(plain.get(part) or {}, Mapping) for part in ("rfi", "request", "expect")):
        raise CaseFileError("`rfi`, `request` and `expect` of a case are maps")
    request = overlaid(plain.get("request") or context, plain.get("rfi") or {})
    return Case(
        id=str(plain.get("id", "case")),
        title=str(plain.get("title", "")),
        agency=str(plain["agency"]),
        request=request,
        record=plain["record"],
        approvals=frozenset(plain.get("approvals") or ()),
        expect=plain.get("expect") or {},
    )


def overlaid(below: Any, above: Any) -> Any:
    """Lay `above` over `below`: maps key by key, everything else replaces."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return {**below, **{key: overlaid(below.get(key), value) for key, value in above.items()}}


def decide_case(case: Case, *, pack: Pack) -> Decision:
    """Decide on the record of `case` by `pack`."""
    return assess_case(case, pack=pack).decisions[0]


def assess_case(case: Case, *, pack: Pack) -> Assessment:
    """Assess the one record of `case` by `pack`; a request that cannot be read goes back as incomplete."""
    try:
        request = read_request(_for_recipient(case.request, agency=case.agency))
    except RequestUnreadableError as error:
        gap = Gap("UNREADABLE", "RFI-15", "request", str(error.__doc__))
        decision = Decision(case.id, Outcome.WITHHOLD, bounce=INCOMPLETE_RFI, pack_hash=pack.hash)
        return Assessment((decision,), bounce=(gap,), pack_hash=pack.hash)
    record = read_record({**case.record, "record_id": case.id})
    return pack.assess(request, [record], approvals={case.id: case.approvals})


def disagreements(decision: Decision, *, expect: Mapping[str, Any]) -> Iterator[str]:
    """Say, one line each, where `decision` is not what a case expects."""
    got = decision.as_plain()
    yield from (f"{name} is no field of a case" for name in sorted(expect.keys() - _FIELDS))
    for name in _AS_IT_STANDS:
        if name in expect and _comparable(expect[name]) != _comparable(got[name]):
            yield f"{name}: expected {expect[name]}, decided {got[name]}"
    for name in _WHOLE_SETS:
        if name in expect and set(expect[name]) != set(got[name]):
            yield f"{name}: expected {sorted(expect[name])}, decided {sorted(got[name])}"
    for name in _AMONG:
        if name in expect and (set(expect[name]) - set(got[name]) or (got[name] and not expect[name])):
            yield f"{name}: expected {sorted(expect[name])}, decided {sorted(got[name])}"
    never = set(expect.get("never", ())) & set(got["onward"])
    if never:
        yield f"onward: never {sorted(never)}"


def _comparable(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _for_recipient(request: Mapping[str, Any], *, agency: str) -> dict[str, Any]:
    """Give the request that goes to one agency: its own entry, and nobody learns who else is asked (FAN-01)."""
    if "recipients" not in request:
        return dict(request)
    entry = (request["recipients"] or {}).get(agency)
    own = {name: value for name, value in request.items() if name != "recipients"}
    return {**own, "recipient": {**(entry if isinstance(entry, Mapping) else {}), "agency": agency}}


def _yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CaseFileError(f"{path.name}: {type(error).__name__}") from None
