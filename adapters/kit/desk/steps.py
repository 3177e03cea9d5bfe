"""The pure steps behind the practitioner's commands: what a look-up adds, what a send leaves, what is refused."""

import secrets
from collections.abc import Sequence, Set
from datetime import datetime
from typing import Final

from adapters.kit.desk.answer import Answer, Judged
from adapters.kit.desk.request_file import GROUNDS, Candidate, Reading, RequestFile
from adapters.kit.lookup.records import Lookup
from schemas.content.codes import Outcome, Reason
from schemas.content.record import Record
from schemas.content.response import Response

SHORTEST_WEIGHING: Final = 15
_CONTENT: Final = (Outcome.SHARE, Outcome.SUMMARISE)


def event_of(response: Response) -> str:
    """Name the event on the envelope: a supplement, a part with sources still owed, or the whole answer."""
    if response.supplement:
        return "SUP"
    return "PRT" if response.outstanding else "ANS"


def withholding_objections(ground: str, note: str) -> list[str]:
    """Say what stands against withholding on this ground with this note (LAW-27, LAW-30)."""
    reasons = []
    if ground not in GROUNDS:
        reasons.append(f"LAW-27: that is no ground for withholding; one of {', '.join(sorted(GROUNDS))}")
    if ground == Reason.MORE_DETRIMENTAL_TO_CHILD and len(note.strip()) < SHORTEST_WEIGHING:
        reasons.append("LAW-30: say what may happen if it is shared and what if it is not; the child comes first")
    return reasons


def silence_objections(judged: Sequence[Judged], *, sender: str) -> list[str]:
    """Say which records would be passed over in silence on the word of one person (DIS-22).

    The second approver is second to whoever sends: a role held twice by one person is one pair of eyes.
    """
    return [
        f"DIS-22: {one.candidate.key} was approved by {sender} alone; somebody else sends, or approves"
        for one in judged
        if one.outcome is Outcome.WITHHOLD_SILENT and not one.candidate.approvers() - {sender}
    ]


def with_lookup(
    file: RequestFile, lookup: Lookup, *, sources: Set[str], accepted_by: str | None, at: datetime, by: str
) -> RequestFile:
    """Add what a look-up found. A record that has not been answered for yet is taken anew as its source now has it."""
    reading = Reading(
        at=at,
        sources=tuple(sorted(lookup.sources)),
        traces={key: trace.status for key, trace in lookup.traces.items()},
        unread=tuple(map(str, lookup.unread)),
        accepted_by=accepted_by,
    )
    return file.with_reading(reading, sources=sources).noting(
        "looked up",
        at=at,
        by=by,
        candidates=_merged(file.candidates, lookup.records),
        state="open" if file.state == "received" else file.state,
    )


def _merged(known: tuple[Candidate, ...], found: tuple[Record, ...]) -> tuple[Candidate, ...]:
    by_key = {record.record_id: record for record in found}
    keys = {candidate.key for candidate in known}
    fresh = (Candidate(item=secrets.token_urlsafe(9), record=one) for one in found if one.record_id not in keys)
    return (*(_refreshed(candidate, by_key.get(candidate.key)) for candidate in known), *fresh)


def _refreshed(candidate: Candidate, record: Record | None) -> Candidate:
    if record is None or candidate.sent_in_part is not None:
        return candidate
    kept = {"summary": candidate.record.summary} if candidate.worded_by else {}
    return candidate.model_copy(update={"record": record.model_copy(update=kept)})


def after_sending(file: RequestFile, reply: Answer, *, at: datetime, by: str) -> RequestFile:
    """Give the file after an answer has left: what it answered for, and where each wording went."""
    part = file.parts_sent + 1
    sections = {item.item: "team" for item in reply.response.items}
    sections |= {item.item: "decision_maker" for item in reply.sealed.items}
    candidates = tuple(
        one.model_copy(update={"sent_in_part": part, "left_in": sections.get(one.item)})
        if one.item in reply.sent
        else one
        for one in file.candidates
    )
    return file.noting(
        f"answered, part {part}",
        at=at,
        by=by,
        parts_sent=part,
        candidates=candidates,
        sent_judgement=file.judgement,
        state="open" if file.outstanding() else "answered",
    )


def correction_objections(one: Judged) -> list[str]:
    """Say why a corrected wording may not go out: it never left, it left sealed, or the rules ask for somebody still.

    The rules decide about the corrected wording as they did about the first: a correction is a disclosure.
    """
    key = one.candidate.key
    if one.candidate.left_in is None:
        return [f"nothing of {key} has left; nothing has to be corrected outside"]
    if one.candidate.left_in == "decision_maker":
        return [f"{key} was sealed for the decision maker; ring them, a correction is read by the whole team"]
    reasons = [f"{key}: the corrected wording still needs {role}" for role in sorted(one.approvals_needed)]
    if one.outcome not in _CONTENT or one.for_decision_maker_alone:
        reasons.append(f"{key}: the rules no longer let it leave ({one.outcome.value.replace('_', ' ')})")
    return reasons
