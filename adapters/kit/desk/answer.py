"""From decisions to an answer: what goes into which section, and why an answer may not go yet. Pure.

The rules are asked again with the approvals in hand right before this (design, "Never" 2); this module only sorts
what they allowed. It never widens: a decision that still needs an approver stops the whole answer, a withhold by a
professional overrides whatever was allowed, and what is withheld silently leaves no mark in any section. A nil is said
only where every source was looked into and could be read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.kit.desk.request_file import Candidate, RequestFile
from adapters.kit.disclosure import Decision
from schemas.content.codes import Audience, Condition, Outcome
from schemas.content.marking import Marking
from schemas.content.record import Grading
from schemas.content.response import (
    Indicator,
    Item,
    Nil,
    OutstandingSource,
    Referral,
    Refusal,
    Responder,
    Response,
    SealedPart,
    TraceStatus,
)

CANCELLED = "the request was cancelled by whoever asked; nothing is worked on or sent any more"
_SOURCE_WORDS = {"1": "reliable source", "2": "untested source", "3": "source not reliable"}
_ASSESSMENT_WORDS = {
    "A": "known directly",
    "B": "known indirectly but corroborated",
    "C": "known indirectly",
    "D": "not known",
    "E": "suspected false",
}


@dataclass(frozen=True)
class Holder:
    """The agency that answers: its participant id, and whom to ring about what is only indicated."""

    participant: str
    kind: str
    contact: str
    telephone: str


@dataclass(frozen=True)
class Answer:
    """One answer, ready to be sealed: `response` for the team, `sealed` for the decision maker."""

    response: Response
    sealed: SealedPart
    sent: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """A candidate with the rules' last decision on it."""

    candidate: Candidate
    decision: Decision

    @property
    def outcome(self) -> Outcome:
        """The outcome, or what a professional has made stricter: `withhold`, or `summarise` for what was worded."""
        if self.candidate.withheld and self.decision.outcome is not Outcome.WITHHOLD_SILENT:
            return Outcome.WITHHOLD
        if self.candidate.worded_by and self.decision.outcome is Outcome.SHARE:
            return Outcome.SUMMARISE
        return self.decision.outcome

    @property
    def approvals_needed(self) -> frozenset[str]:
        """Who has still to approve. A professional's withhold needs nobody; one of the rules' may (DIS-22)."""
        refused_by_rules = self.decision.outcome in (Outcome.WITHHOLD, Outcome.WITHHOLD_SILENT)
        needed = frozenset(map(str, self.decision.approvals_needed))
        return frozenset() if self.candidate.withheld and not refused_by_rules else needed

    @property
    def withheld_on(self) -> tuple[str, ...]:
        """The grounds that a visible refusal may give: the professional's first, and never another rule's reason."""
        ground = (self.candidate.withheld.ground,) if self.candidate.withheld else ()
        rules = self.decision.grounds if self.decision.outcome is Outcome.WITHHOLD else ()
        return (*ground, *(str(reason) for reason in rules if reason not in ground))

    @property
    def for_decision_maker_alone(self) -> bool:
        """Say whether the decision maker is the only audience of an item that leaves."""
        return set(self.decision.onward) <= {Audience.DECISION_MAKER}


def objections(file: RequestFile, judged: Sequence[Judged], *, incomplete: Sequence[str] = ()) -> Iterator[str]:
    """Give every reason why the answer may not go yet; none means that it may.

    `judged` are the records that no part has answered for yet; `incomplete` the gaps for which the request goes back.
    """
    if file.state == "cancelled":
        yield CANCELLED
    if file.state == "bounced" or incomplete:
        yield "RFI-15: the request is incomplete; the corrected one is answered, so ring the requester if none comes"
    yield from _objections_to_looking(file)
    for one in judged:
        if one.approvals_needed:
            yield f"{one.candidate.key}: still needs {', '.join(sorted(one.approvals_needed))}"
    if file.judgement is None and _anyone_traced(file):
        yield "RSP-02: give the level of need and the agency best placed"
    if file.state == "answered" and not judged and file.judgement == file.sent_judgement:
        yield f"nothing is new since part {file.parts_sent}; look the family up again if there should be"


def _objections_to_looking(file: RequestFile) -> Iterator[str]:
    if not file.readings:
        yield "nobody has looked the family up; `mash respond propose` does, and an answer without it would be a guess"
    if missing := file.not_looked_into():
        yield f"not looked into: {', '.join(missing)}; look there too, or record that they were asked and still owe"
    if gaps := len(file.unread_and_not_accepted):
        yield f"{gaps} parts of the records could not be read; mend them, or accept the answer without them"


def answer(
    file: RequestFile,
    judged: Sequence[Judged],
    *,
    holder: Holder,
    responder: Responder,
    now: datetime,
    incomplete: Sequence[str] = (),
) -> Answer:
    """Sort the decisions into an answer; `incomplete` are gaps of a RED request, which is worked all the same (RFI-15).

    The caller has made sure that `objections` is empty.
    """
    leaving = [one for one in judged if _leaves(one)]
    items = [_item(one, file=file, holder=holder) for one in leaving if not one.for_decision_maker_alone]
    for_decision_maker = [_item(one, file=file, holder=holder) for one in leaving if one.for_decision_maker_alone]
    behind_indicators = [_item(one, file=file, holder=holder) for one in judged if _is_sealed_behind_indicator(one)]
    response = Response(
        enquiry=file.rfi.enquiry,
        rfi=file.rfi.rfi or "",
        part=file.parts_sent + 1,
        supplement=file.state == "answered" and not file.outstanding(),
        as_at=now,
        responder=responder,
        traces=file.traces,
        items=tuple(items),
        indicators=tuple(_indicator(one, holder=holder) for one in judged if one.outcome is Outcome.INDICATE_ONLY),
        referrals=tuple(_referral(one, file=file) for one in judged if one.outcome is Outcome.REFER_TO_ORIGINATOR),
        refusals=tuple(Refusal(reasons=one.withheld_on) for one in judged if one.outcome is Outcome.WITHHOLD),
        for_decision_maker=len(for_decision_maker),
        outstanding=tuple(OutstandingSource(source=one.source, due_at=one.due_at) for one in file.outstanding()),
        gaps_queried=tuple(incomplete),
        judgement=file.judgement,
    )
    sealed = SealedPart(items=(*for_decision_maker, *behind_indicators))
    return Answer(
        response=response.model_copy(update={"nil": _nil(file, response, sealed)}),
        sealed=sealed,
        sent=tuple(one.candidate.item for one in judged),
    )


def _leaves(one: Judged) -> bool:
    return one.outcome in (Outcome.SHARE, Outcome.SUMMARISE)


def _is_sealed_behind_indicator(one: Judged) -> bool:
    return one.outcome is Outcome.INDICATE_ONLY and Audience.DECISION_MAKER in one.decision.sealed_for


def _item(one: Judged, *, file: RequestFile, holder: Holder) -> Item:
    record = one.candidate.record
    as_it_stands = one.outcome is Outcome.SHARE
    wording = record.text if as_it_stands else record.summary
    if not wording:
        raise NothingWorded(one.candidate.key)
    return Item(
        item=one.candidate.item,
        category=record.category,
        wording=wording,
        summarised=not as_it_stands,
        subjects=tuple(key for key in record.subjects if key in file.rfi.persons),
        event_on=record.event_on,
        recorded_on=record.recorded_on,
        answers=tuple(code for code in record.answers if code in file.rfi.recipient.questions),
        reasons=tuple(map(str, one.decision.reasons)),
        alerts=tuple(map(str, one.decision.alerts)),
        refer_to=one.decision.refer_to,
        marking=_marking(one, holder=holder),
    )


def _marking(one: Judged, *, holder: Holder) -> Marking:
    record, decision = one.candidate.record, one.decision
    grading = record.grading
    return Marking(
        gsc=record.gsc,
        onward=tuple(map(str, decision.onward)),
        conditions=tuple(map(str, decision.conditions)),
        handling_conditions=grading.conditions if grading else (),
        grading=_in_words(grading) if grading else None,
        nature=record.nature,
        originator=record.originator or holder.kind,
        holder=holder.participant,
        obtained=record.obtained,
        chain=(holder.participant,),
    )


def _in_words(grading: Grading) -> str:
    source = _SOURCE_WORDS.get(str(grading.source), "source not graded")
    assessment = _ASSESSMENT_WORDS.get(str(grading.assessment), "not assessed")
    return f"{source}; {assessment}"


def _indicator(one: Judged, *, holder: Holder) -> Indicator:
    grading = one.candidate.record.grading
    verbatim = Condition.HANDLING_CONDITIONS_VERBATIM in one.decision.conditions
    return Indicator(
        item=one.candidate.item,
        contact=holder.contact,
        telephone=holder.telephone,
        conditions=tuple(map(str, one.decision.conditions)),
        handling_conditions=grading.conditions if grading and verbatim else (),
        alerts=tuple(map(str, one.decision.alerts)),
        sealed_for=tuple(map(str, one.decision.sealed_for)),
    )


def _referral(one: Judged, *, file: RequestFile) -> Referral:
    """Point to whoever controls the information; when somebody was heard at MARAC is said only where it may be."""
    shown = file.rfi.agreement.marac_date == "shown" and "marac" in one.decision.refer_to
    return Referral(
        refer_to=one.decision.refer_to,
        reasons=tuple(map(str, one.decision.grounds)),
        heard_on=one.candidate.record.event_on if shown else None,
    )


def _nil(file: RequestFile, response: Response, sealed: SealedPart) -> Nil | None:
    anything = (*response.items, *response.indicators, *response.referrals, *response.refusals, *sealed.items)
    unsure = file.unread or TraceStatus.UNKNOWN in response.traces.values() or not response.traces
    if anything or unsure or response.outstanding:
        return None
    found = any(trace is not TraceStatus.NO_TRACE for trace in response.traces.values())
    return Nil.NOTHING_TO_SHARE if found else Nil.NO_TRACE


def _anyone_traced(file: RequestFile) -> bool:
    return any(trace is not TraceStatus.NO_TRACE for trace in file.traces.values())


class NothingWorded(Exception):
    """A record was to leave in a prepared wording and has none; write one with `mash respond summarise`."""
