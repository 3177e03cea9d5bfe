"""What tests ask the rules with: the request of our own cases, records made of few words, packs with a line changed."""

from pathlib import Path
from typing import Any

from adapters.kit.disclosure import Decision, Pack, RuleFiles, build_pack, installed_files, load_pack
from adapters.kit.disclosure.cases import case_from_plain, decide_case, overlaid, read_context
from adapters.kit.disclosure.reading import read_record, read_request
from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation

CASES = Path(__file__).parent / "cases"
CONTEXT = read_context(CASES / "context.yaml")


def a_record(**fields: Any) -> Record:
    """Give a record of the fire service that is shared, changed by `fields`."""
    return read_record({**plain_record(), **fields})


def plain_record(**fields: Any) -> dict[str, Any]:
    """Give the same as plain values."""
    plain = {
        "record_id": "rec-1",
        "record_type": "incident_report",
        "category": "fire",
        "subjects": ["ivy"],
        "text": "a fire in the kitchen",
        "nature": "fact",
        "answers": ["plain"],
    }
    return {**plain, **fields}


def a_request(agency: str = "fire", **changes: Any) -> RequestForInformation:
    """Give the shared request as it goes to `agency`, with `changes` laid over it."""
    request = dict(overlaid(CONTEXT, changes))
    recipient = {**request.pop("recipients")[agency], "agency": agency}
    return read_request({**request, "recipient": recipient})


def decided(agency: str = "fire", *, rfi: Any = None, approvals: Any = (), **fields: Any) -> Decision:
    """Decide on the record of `a_record` at `agency`."""
    case = {"id": "rec-1", "agency": agency, "rfi": rfi or {}, "record": plain_record(**fields), "approvals": approvals}
    return decide_case(case_from_plain(case, context=CONTEXT), pack=load_pack(agency))


def pack_with(kind: str = "fire", *, own: str = "", common: str = "", facts: str = "", schema: str = "") -> Pack:
    """Build the installed pack with text added to its files. Raises `RulePackInvalidError`."""
    files = installed_files(kind)
    changed = RuleFiles(
        schema=f"{files.schema}\n{schema}",
        common=f"{files.common}\n{common}",
        own=f"{files.own}\n{own}",
        facts=f"{facts}\n{files.facts}",
    )
    return build_pack(kind, files=changed)
