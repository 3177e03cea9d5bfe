"""A request at the agency that was asked: what was found, who approved what, what has been sent.

Pure state and pure steps. An approval is bound to the wording that was approved: who words the record anew has to ask
again. Withholding is a professional's own decision with a ground, and only ever tightens what the rules allow.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import AwareDatetime

from schemas.content.base import Content
from schemas.content.codes import Reason
from schemas.content.notice import OutcomeNotice
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


class Candidate(Content):
    """One record that was found for this request. `item` names it to the outside; the record's own id never leaves."""

    item: str
    record: Record
    approvals: tuple[Approval, ...] = ()
    worded_by: str | None = None
    withheld: Withheld | None = None
    sent_in_part: int | None = None

    @property
    def key(self) -> str:
        """The record's id within the agency; the item reference where the source gives none."""
        return self.record.record_id or self.item

    def approving_roles(self) -> frozenset[str]:
        """Give the roles whose approval was given to the wording as it now stands."""
        current = wording_hash(self.record)
        return frozenset(approval.role for approval in self.approvals if approval.wording == current)


class SubRequest(Content):
    """One source within a conduit's sector that was asked in turn (FAN-02, FAN-04)."""

    source: str
    asked_at: AwareDatetime
    due_at: AwareDatetime
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
    state: Literal["received", "bounced", "open", "answered"] = "received"
    seen_at: AwareDatetime | None = None
    traces: dict[str, TraceStatus] = {}
    unread: tuple[str, ...] = ()
    unread_accepted_by: str | None = None
    candidates: tuple[Candidate, ...] = ()
    sub_requests: tuple[SubRequest, ...] = ()
    judgement: Judgement | None = None
    parts_sent: int = 0
    outcome: OutcomeNotice | None = None
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


class UnknownRecord(Exception):
    """No record with that id was found for this request; `mash respond propose` lists the records."""


def wording_hash(record: Record) -> str:
    """Give the SHA-256 (hex) of what would leave: the prepared wording, or the text where there is none."""
    return hashlib.sha256((record.summary if record.summary is not None else record.text).encode()).hexdigest()


def approved(candidate: Candidate, role: str, *, at: datetime, by: str) -> Candidate:
    """Record a role's approval of the wording as it stands."""
    approval = Approval(role=role, by=by, at=at, wording=wording_hash(candidate.record))
    return candidate.model_copy(update={"approvals": (*candidate.approvals, approval)})


def worded(candidate: Candidate, wording: str, *, by: str) -> Candidate:
    """Put a prepared wording in the place of the text; approvals of another wording no longer count."""
    record = candidate.record.model_copy(update={"summary": wording})
    return candidate.model_copy(update={"record": record, "worded_by": by})


def withheld(candidate: Candidate, ground: str, note: str, *, at: datetime, by: str) -> Candidate:
    """Record the professional's decision to withhold this record."""
    return candidate.model_copy(update={"withheld": Withheld(ground=ground, note=note, by=by, at=at)})
