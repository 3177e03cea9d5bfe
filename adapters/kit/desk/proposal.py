"""A request file beside what the rules say of it now, and everything that still stands against the answer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from adapters.kit.desk.answer import Judged, objections
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.disclosure import Pack
from adapters.kit.lawful.answering import Told, Weighed, answer_findings
from adapters.kit.lawful.lawfulness import advice_overdue
from adapters.kit.lawful.notes import form_for
from adapters.kit.lawful.standing import Standing
from adapters.kit.users import Users, training_warning
from schemas.content.lawfulness import LawfulNotes, RecordNotes

_FILL_IN: Final = (
    "to write that down: `mash respond form {rfi} > form.yaml`, fill it in, `mash respond record {rfi} form.yaml`"
)


@dataclass(frozen=True)
class Bench:
    """What a file is judged by: the rules, what the agency relies on, its users, and the time."""

    pack: Pack
    standing: Standing
    users: Users
    now: datetime


@dataclass(frozen=True)
class Proposal:
    """A request file beside what the rules say of it now, in the order of its candidates.

    `incomplete` are the gaps of the request itself; it is worked all the same where `worked` (RED, RFI-15).
    `told` are the findings of lawfulness about what would leave or be held back (LAW-01 to LAW-30).
    """

    file: RequestFile
    judged: tuple[Judged, ...]
    warnings: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    worked: bool = True
    told: tuple[Told, ...] = ()

    @property
    def new(self) -> tuple[Judged, ...]:
        """The records that no part has answered for yet."""
        return tuple(one for one in self.judged if one.candidate.sent_in_part is None)

    @property
    def objections(self) -> tuple[str, ...]:
        """Why the answer may not go yet; empty means that it may."""
        incomplete = () if self.worked else self.incomplete
        against = objections(self.file, self.new, incomplete=incomplete)
        wanting = any(one.written_down for one in self.told)
        todo = (_FILL_IN.format(rfi=self.file.rfi.rfi),) if wanting else ()
        return (*against, *(str(one) for one in self.told if one.stops), *todo)

    @classmethod
    def of(cls, file: RequestFile, *, by: Bench) -> Self:
        """Ask the rules about every record of the file, and the law about what would come of it."""
        records = [candidate.record for candidate in file.candidates]
        assessment = by.pack.assess(file.rfi, records, approvals=file.approvals())
        judged = tuple(
            Judged(candidate, decision)
            for candidate, decision in zip(file.candidates, assessment.decisions, strict=True)
        )
        gaps = tuple(gap.message for gap in by.pack.gaps(file.rfi))
        told = () if assessment.bounce else _told(file, judged, standing=by.standing)
        shown = (gap.message for gap in assessment.warnings if gap.message not in gaps)
        warnings = (*shown, *(str(one) for one in told if not one.stops), *_warnings(file, by=by))
        return cls(file, judged, warnings=warnings, incomplete=gaps, worked=not assessment.bounce, told=told)

    def form(self, *, standing: Standing) -> LawfulNotes:
        """Give the form of what has to be written down about this answer, filled in where that is settled."""
        return form_for(_weighed(self.new), request=self.file.rfi, recorded=self.file.lawful, standing=standing)


def _told(file: RequestFile, judged: Sequence[Judged], *, standing: Standing) -> tuple[Told, ...]:
    new = [one for one in judged if one.candidate.sent_in_part is None]
    notes = file.lawful or LawfulNotes()
    return answer_findings(_weighed(new), request=file.rfi, notes=notes, standing=standing)


def _weighed(judged: Sequence[Judged]) -> list[Weighed]:
    return [
        Weighed(
            one.candidate.key,
            one.candidate.record,
            one.decision,
            one.outcome,
            ground=one.candidate.withheld.ground if one.candidate.withheld else None,
            notes=one.candidate.withheld.notes if one.candidate.withheld else RecordNotes(),
        )
        for one in judged
    ]


def _warnings(file: RequestFile, *, by: Bench) -> list[str]:
    """Say whose training is stale of those who worked on it (GOV-15), and which advice is late (LAW-28)."""
    acted = {one.worded_by for one in file.candidates} | {
        approval.by for one in file.candidates for approval in one.approvals
    }
    known = [(user, by.users.by_id[user]) for user in sorted(filter(None, acted)) if user in by.users.by_id]
    stale = [training_warning(user_id, user, today=by.now.date()) for user_id, user in known]
    due = file.rfi.response_due_at
    late = [advice_overdue(one, due_at=due, now=by.now) for one in file.advice] if due else []
    return [*filter(None, stale), *(str(one) for one in late if one)]
