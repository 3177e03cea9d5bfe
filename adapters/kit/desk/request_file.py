"""A request at the agency that was asked: what was found, who approved what, what has been sent.

Pure state and pure steps. An approval is bound to the text and the wording that were approved: who words the record
anew has to ask again. Withholding is a professional's own decision with a ground, and only ever tightens what the rules
allow. What was looked into, and what could not be read there, is kept look-up by look-up: looking again in one source
makes neither a trace nor a gap of another source disappear.
"""

import hashlib
import json
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import AwareDatetime

from schemas.content.base import Content
from schemas.content.codes import Reason
from schemas.content.lawfulness import Advice, LawfulNotes, RecordNotes
from schemas.content.notice import Cancellation, OutcomeNotice
from schemas.content.record import Record
from schemas.content.response import Judgement, TraceStatus
from schemas.content.rfi import RequestForInformation

GROUNDS: Final = frozenset(
    {
        Reason.MORE_DETRIMENTAL_TO_CHILD,
        Reason.NOT_RELEVANT,
        Reason.EXCESSIVE,
        Reason.OPINION_UNVERIFIED,
        Reason.OUT_OF_DATE,
        Reason.RETENTION_EXPIRED,
        Reason.CONFIDENCE_UPHELD,
        Reason.LEGAL_PRIVILEGE,
        Reason.IDENTITY_UNCONFIRMED,
    }
)

_UNSURE_TO_SURE: Final = (TraceStatus.NO_TRACE, TraceStatus.UNKNOWN, TraceStatus.POSSIBLE_MATCH, TraceStatus.TRACE)


class Approval(Content):
    """One role's approval of one wording, by a named person."""

    role: str
    by: str
    at: AwareDatetime
    wording: str


class Withheld(Content):
    """A professional's decision not to share, with its ground and the weighing behind it (LAW-27, LAW-30)."""

    ground: str
    note: str
    by: str
    at: AwareDatetime
    notes: RecordNotes = RecordNotes()


class Candidate(Content):
    """One record that was found for this request. `item` names it to the outside; the record's own id never leaves.

    `sent_in_part`: the part whose decisions included this record; `left_in`: the section its wording left in, or None
    where nothing of it left.
    """

    item: str
    record: Record
    approvals: tuple[Approval, ...] = ()
    worded_by: str | None = None
    withheld: Withheld | None = None
    sent_in_part: int | None = None
    left_in: Literal["team", "decision_maker"] | None = None

    @property
    def key(self) -> str:
        """The record's id within the agency; the item reference where the source gives none."""
        return self.record.record_id or self.item

    def approving_roles(self) -> frozenset[str]:
        """Give the roles whose approval was given to the wording as it now stands."""
        return frozenset(approval.role for approval in self._in_force())

    def approvers(self) -> frozenset[str]:
        """Give the users whose approval was given to the wording as it now stands."""
        return frozenset(approval.by for approval in self._in_force())

    def _in_force(self) -> tuple[Approval, ...]:
        current = wording_hash(self.record)
        return tuple(approval for approval in self.approvals if approval.wording == current)


class Reading(Content):
    """One look-up in some of the agency's sources: who was found, and what could not be read."""

    at: AwareDatetime
    sources: tuple[str, ...]
    traces: dict[str, TraceStatus] = {}
    unread: tuple[str, ...] = ()
    accepted_by: str | None = None


class SubRequest(Content):
    """One source within a conduit's sector that was asked in turn (FAN-02, FAN-04)."""

    source: str
    asked_at: AwareDatetime
    due_at: AwareDatetime
    answered_at: AwareDatetime | None = None


class OnwardAsked(Content):
    """A requester's question whether one more audience may have an item that was sent, and our answer (DIS-04)."""

    question: str
    item: str
    audience: str
    reason: str
    asked_at: AwareDatetime
    granted: bool | None = None
    valid_until: AwareDatetime | None = None
    answered_by: str | None = None
    answered_at: AwareDatetime | None = None


class Entry(Content):
    """One line of the file's history, without personal data beyond the name of the user who acted."""

    at: AwareDatetime
    by: str
    what: str


class RequestFile(Content):
    """The agency's file of one request."""

    rfi: RequestForInformation
    sender: str
    thread: str
    mid: str
    received_at: AwareDatetime
    state: Literal["received", "bounced", "open", "answered", "cancelled"] = "received"
    seen_at: AwareDatetime | None = None
    sources: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    sub_requests: tuple[SubRequest, ...] = ()
    judgement: Judgement | None = None
    parts_sent: int = 0
    sent_judgement: Judgement | None = None
    lawful: LawfulNotes | None = None
    advice: tuple[Advice, ...] = ()
    outcome: OutcomeNotice | None = None
    cancellation: Cancellation | None = None
    onward: tuple[OnwardAsked, ...] = ()
    history: tuple[Entry, ...] = ()

    def noting(self, what: str, *, at: datetime, by: str, **changes: object) -> Self:
        """Give the file with `changes` made and one line of history added."""
        return self.model_copy(update={**changes, "history": (*self.history, Entry(at=at, by=by, what=what))})

    def candidate(self, key: str) -> Candidate:
        """Give the candidate with this record id. Raises `UnknownRecord`."""
        for candidate in self.candidates:
            if candidate.key == key:
                return candidate
        raise UnknownRecord(key)

    def with_candidate(self, changed: Candidate, what: str, *, at: datetime, by: str) -> Self:
        """Give the file with one candidate replaced."""
        candidates = tuple(changed if one.item == changed.item else one for one in self.candidates)
        return self.noting(what, at=at, by=by, candidates=candidates)

    def approvals(self) -> Mapping[str, frozenset[str]]:
        """Give the approvals in force, by record id, as the disclosure rules take them."""
        return {candidate.key: candidate.approving_roles() for candidate in self.candidates}

    def outstanding(self) -> tuple[SubRequest, ...]:
        """Give the sources that were asked and have not answered."""
        return tuple(one for one in self.sub_requests if one.answered_at is None)

    def with_reading(self, new: Reading, *, sources: Set[str]) -> Self:
        """Add a look-up; it replaces the earlier ones that looked nowhere else. `sources`: all that the agency has."""
        kept = tuple(one for one in self.readings if not set(one.sources) <= set(new.sources))
        return self.model_copy(update={"readings": (*kept, new), "sources": tuple(sorted(sources))})

    @property
    def traces(self) -> dict[str, TraceStatus]:
        """Whether each person was found, the surest finding of any source; empty before the first look-up."""
        found: dict[str, TraceStatus] = {}
        for reading in self.readings:
            for key, trace in reading.traces.items():
                found[key] = max(trace, found.get(key, trace), key=_UNSURE_TO_SURE.index)
        return found

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be read, of every source that was looked into."""
        return tuple(gap for reading in self.readings for gap in reading.unread)

    @property
    def unread_and_not_accepted(self) -> tuple[str, ...]:
        """What could not be read and nobody has said that the answer goes without."""
        return tuple(gap for reading in self.readings if reading.accepted_by is None for gap in reading.unread)

    def not_looked_into(self) -> tuple[str, ...]:
        """Give the agency's sources that nobody has looked into and that are not named as still owed either."""
        accounted = {source for reading in self.readings for source in reading.sources}
        accounted |= {one.source for one in self.outstanding()}
        return tuple(source for source in self.sources if source not in accounted)


class UnknownRecord(Exception):
    """No record with that id was found for this request; `mash respond propose` lists the records."""


def wording_hash(record: Record) -> str:
    """Give the SHA-256 (hex) of the text and of the prepared wording: who approves has read both."""
    return hashlib.sha256(json.dumps([record.text, record.summary]).encode()).hexdigest()


def approved(candidate: Candidate, role: str, *, at: datetime, by: str) -> Candidate:
    """Record a role's approval of the wording as it stands."""
    approval = Approval(role=role, by=by, at=at, wording=wording_hash(candidate.record))
    return candidate.model_copy(update={"approvals": (*candidate.approvals, approval)})


def worded(candidate: Candidate, wording: str, *, by: str) -> Candidate:
    """Put a prepared wording in the place of the text; approvals of another wording no longer count."""
    record = candidate.record.model_copy(update={"summary": wording})
    return candidate.model_copy(update={"record": record, "worded_by": by})


def withheld(
    candidate: Candidate, ground: str, note: str, *, at: datetime, by: str, notes: RecordNotes | None = None
) -> Candidate:
    """Record the professional's decision to withhold this record; `notes`: its two sides, and what it rests on."""
    decision = Withheld(ground=ground, note=note, by=by, at=at, notes=notes or RecordNotes())
    return candidate.model_copy(update={"withheld": decision})
