"""The form of what a person writes down about one answer: pre-filled where the request and the decisions settle it.

Pure. A field that is filled in here is shown before it counts: nothing is on file until a person has recorded the form.
What only a person can judge stays empty: whether it is proportionate, the seven questions, the two sides of a refusal.
"""

from collections.abc import Sequence
from typing import Final

from adapters.kit.disclosure.dates import london_day
from adapters.kit.disclosure.request_facts import override_recorded
from adapters.kit.lawful.answering import (
    OBJECTING,
    Weighed,
    age_of,
    gate_of,
    goes_to_safety,
    out_of_confidence,
    withhold_record,
)
from adapters.kit.lawful.lawfulness import DUTY_2026, OUTSIDE_THE_DUTY, prefilled
from adapters.kit.lawful.standing import Standing
from schemas.content.codes import GATEWAYS, Outcome
from schemas.content.lawfulness import (
    AnswerNotes,
    Checklist,
    ConfidenceTest,
    LawfulNotes,
    Paragraph18,
    RecordNotes,
    Weighing,
)
from schemas.content.rfi import RequestForInformation

_WHY_NOT_INFORMED: Final = {
    "would_increase_risk": "risk_to_someone",
    "prejudice_to_crime": "prejudice_to_investigation",
}
_PARAGRAPH_18: Final = 18
_AS_IT_STANDS: Final = "as held, since it leaves in its own words"


def form_for(
    weighed: Sequence[Weighed], *, request: RequestForInformation, recorded: LawfulNotes | None, standing: Standing
) -> LawfulNotes:
    """Give the form for an answer: what was recorded, and beside it what can be filled in."""
    if recorded is not None:
        fresh = {one.key: _record_notes(one, request) for one in weighed if one.key not in recorded.records}
        wanted = {key: own for key, own in fresh.items() if own is not None}
        return recorded.model_copy(update={"records": {**recorded.records, **wanted}})
    own = {one.key: _record_notes(one, request) for one in weighed}
    return LawfulNotes(
        answer=_answer_notes(weighed, request=request, standing=standing),
        records={key: notes for key, notes in own.items() if notes is not None},
    )


def _answer_notes(weighed: Sequence[Weighed], *, request: RequestForInformation, standing: Standing) -> AnswerNotes:
    informed = request.parents_aware == "yes"
    override = request.consent.override
    ground = override.ground if override is not None and override_recorded(override) else None
    why_not = None if informed else _WHY_NOT_INFORMED.get(ground or "")
    told = "the family knows of the request" if informed else f"not told: {why_not}" if why_not else None
    checklist = checklist_for(weighed, request=request, standing=standing)
    return AnswerNotes(
        informed=informed,
        not_informed_reason=why_not,
        necessity="authorised_by_law" if frozenset(request.gateways) & GATEWAYS else None,
        paragraph_18=_paragraph_18(weighed, request=request, standing=standing),
        checklist=checklist.model_copy(update={"informed": told}),
    )


def checklist_for(weighed: Sequence[Weighed], *, request: RequestForInformation, standing: Standing) -> Checklist:
    """Answer those of the ten questions that are settled for every record that leaves (LAW-24)."""
    leaving = [one for one in weighed if one.leaves]
    each = [
        prefilled(one.record, decision=one.decision, request=request, basis=standing.basis).model_dump()
        for one in leaving
    ]
    for one, answers in zip(leaving, each, strict=True):
        answers["how_much"] = _AS_IT_STANDS if one.outcome is Outcome.SHARE else "a prepared wording"
        answers["decision_recorded"] = "in the ledger, with the hash of what each decision rested on"
    return Checklist.from_plain({name: _joined([one[name] for one in each]) for name in Checklist.model_fields})


def _joined(answers: Sequence[str | None]) -> str | None:
    """Join the answers of several records; one that has none leaves the question open."""
    said = [answer for answer in answers if answer]
    return "; ".join(dict.fromkeys(said)) if said and len(said) == len(answers) else None


def _paragraph_18(
    weighed: Sequence[Weighed], *, request: RequestForInformation, standing: Standing
) -> Paragraph18 | None:
    """Fill in who is protected, and why there is no consent; the public interest is for a person to see."""
    if standing.basis.schedule_1_condition != _PARAGRAPH_18:
        return None
    day = london_day(request.issued_at)
    ages = [age_of(person, day=day) for person in request.persons.values() if person.is_child]
    to_safety = any(goes_to_safety(one.record, request=request) for one in weighed if one.leaves)
    return Paragraph18(
        protects="neglect_or_harm" if to_safety else "wellbeing",
        age=min((age for age in ages if age is not None), default=None),
        no_consent_reason=request.lawful_basis.schedule_1_para_18_2,
    )


def _record_notes(one: Weighed, request: RequestForInformation) -> RecordNotes | None:
    """Give what has to be written down about one record, or None where nothing has."""
    if one.leaves:
        return _notes_on_a_release(one)
    if one.outcome is Outcome.WITHHOLD_SILENT:
        return RecordNotes()
    return _notes_on_a_refusal(one, request) if one.outcome is Outcome.WITHHOLD else None


def _notes_on_a_release(one: Weighed) -> RecordNotes | None:
    confided = out_of_confidence(one.decision)
    if not (confided or one.record.consent in {*OBJECTING, "given"}):
        return None
    overridden = confided and gate_of(one.decision) != "consent"
    return RecordNotes(confidence_gate=gate_of(one.decision), confidence_test=ConfidenceTest() if overridden else None)


def _notes_on_a_refusal(one: Weighed, request: RequestForInformation) -> RecordNotes | None:
    refusal = withhold_record(one, request=request, notes=LawfulNotes())
    reached = DUTY_2026 in request.gateways and refusal.ground not in OUTSIDE_THE_DUTY
    if not refusal.safety_relevant and not (reached and refusal.rests_on is None):
        return None
    return RecordNotes(rests_on=refusal.rests_on, weighing=refusal.weighing or Weighing())
