"""Is an answer lawful as it is recorded? What goes out, and what is held back, record by record (LAW-01 to LAW-30).

Pure. Put together from four sources: the request, the decision of the rules, what the agency relies on for every
answer (`Standing`), and what a person wrote down about this one (`LawfulNotes`). Nothing is filled in silently: what a
person has to judge and did not is a finding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from adapters.kit.disclosure import Decision
from adapters.kit.disclosure.dates import age_on, london_day
from adapters.kit.disclosure.request_facts import is_red, override_recorded, questions_put
from adapters.kit.lawful.finding import Effect, Finding, blank, block
from adapters.kit.lawful.lawfulness import release_findings, rests_on_by_ground, withhold_findings
from adapters.kit.lawful.standing import Standing
from schemas.content.codes import Condition, Outcome, Reason
from schemas.content.lawfulness import AgreementToShare, LawfulNotes, RecordNotes, ReleaseRecord, WithholdRecord
from schemas.content.person import Person
from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation

OBJECTING: Final = frozenset({"refused", "withdrawn"})
# What the agency settles once; everything else is written down for the one answer.
_SETTLED_ONCE: Final = frozenset(
    {"LAW-09", "LAW-10", "LAW-11", "LAW-13", "LAW-14", "LAW-15", "LAW-16", "LAW-17", "LAW-29"}
)
_SETTLE: Final = " (settle it in [lawful] of adapter.toml)"


@dataclass(frozen=True)
class Weighed:
    """One record, what the rules decided, and what comes of it after a professional's own decision.

    `ground` is a professional's for withholding; `notes` what they wrote down with it.
    """

    key: str
    record: Record
    decision: Decision
    outcome: Outcome
    ground: str | None = None
    notes: RecordNotes = field(default_factory=RecordNotes)

    @property
    def leaves(self) -> bool:
        """Say whether words of the record leave, openly or sealed."""
        sealed = self.outcome is Outcome.INDICATE_ONLY and bool(self.decision.sealed_for)
        return sealed or self.outcome in (Outcome.SHARE, Outcome.SUMMARISE)


@dataclass(frozen=True)
class Told:
    """One finding, and the records that it is about; none where it is about the whole answer."""

    finding: Finding
    keys: tuple[str, ...]

    @property
    def stops(self) -> bool:
        """Say whether the answer may not go because of it: what is blocked, and what is held until answered."""
        return self.finding.effect is not Effect.WARN

    @property
    def written_down(self) -> bool:
        """Say whether a person answers it for this one answer, in the form."""
        return self.stops and self.finding.requirement not in _SETTLED_ONCE

    def __str__(self) -> str:
        about = f"{', '.join(self.keys)}: " if self.keys else ""
        settle = "" if self.written_down or not self.stops else _SETTLE
        return f"{self.finding.requirement}: {about}{self.finding.message}{settle}"


def answer_findings(
    weighed: Sequence[Weighed], *, request: RequestForInformation, notes: LawfulNotes, standing: Standing
) -> tuple[Told, ...]:
    """Find everything that stands against an answer, each thing once; empty where nothing is said of anybody."""
    found: dict[Finding, list[str]] = {}
    for one in weighed:
        for finding in _findings(one, request=request, notes=notes, standing=standing):
            found.setdefault(finding, []).append(one.key)
    leaving = sum(one.leaves for one in weighed)
    told = (Told(finding, () if len(keys) == leaving > 1 else tuple(keys)) for finding, keys in found.items())
    return tuple(sorted(told, key=lambda one: (one.finding.requirement, one.keys)))


def _findings(
    one: Weighed, *, request: RequestForInformation, notes: LawfulNotes, standing: Standing
) -> Iterator[Finding]:
    if one.leaves:
        release = release_record(one, request=request, notes=notes, standing=standing)
        yield from release_findings(release, allowed=standing.allowed, red=is_red(request))
    if one.outcome is Outcome.WITHHOLD:
        yield from withhold_findings(withhold_record(one, request=request, notes=notes), gateways=request.gateways)
    if one.outcome is Outcome.WITHHOLD_SILENT and blank(_notes_of(one, notes).other_route):
        yield block("DIS-22", "say what came of considering a sealed or spoken word to the decision maker")


def release_record(
    one: Weighed, *, request: RequestForInformation, notes: LawfulNotes, standing: Standing
) -> ReleaseRecord:
    """Put together what is recorded about one release."""
    own, whole, decision = _notes_of(one, notes), notes.answer, one.decision
    override = request.consent.override
    return ReleaseRecord(
        category=one.record.category,
        holder=request.recipient.agency,
        public_body=request.recipient.public_body,
        regime=request.recipient.regime or "uk_gdpr",
        audiences=(request.audience, *map(str, decision.onward)),
        basis=standing.basis,
        gateways=(*request.gateways, *standing.gateways),
        agreement=_agreement(one.record, own.agreement, request=request, standing=standing),
        override=override if override_recorded(override) else None,
        do_not_inform_parent=request.consent.do_not_inform_parent,
        young_person_told=whole.young_person_told,
        informed=whole.informed,
        not_informed_reason=whole.not_informed_reason,
        incapable_of_consent=own.incapable_of_consent,
        paragraph_18=whole.paragraph_18,
        safeguards_s11=standing.safeguards_s11,
        duty_of_confidence=standing.duty_of_confidence,
        official_authority=standing.official_authority,
        part_3=standing.part_3,
        exemption=whole.exemption,
        in_confidence=out_of_confidence(decision),
        confidence_gate=own.confidence_gate or gate_of(decision),
        confidence_test=own.confidence_test,
        views_of_confider=own.views_of_confider,
        human_rights=whole.human_rights,
        necessity=whole.necessity,
        checklist=whole.checklist,
        caldicott_checked=whole.caldicott_checked,
        objection=one.record.consent in OBJECTING,
        objection_decided=own.objection_decided,
    )


def withhold_record(one: Weighed, *, request: RequestForInformation, notes: LawfulNotes) -> WithholdRecord:
    """Put together what is recorded about one refusal: a professional's ground comes before those of the rules."""
    own = _notes_of(one, notes)
    ground = one.ground or next(iter(one.decision.grounds), None)
    return WithholdRecord(
        ground=ground,
        rests_on=own.rests_on or rests_on_by_ground(ground),
        safety_relevant=goes_to_safety(one.record, request=request),
        weighing=own.weighing,
    )


def out_of_confidence(decision: Decision) -> bool:
    """Say whether the rules released it out of a confidence, or against a refusal; sealed parts included."""
    return Reason.CONFIDENCE_OVERRIDDEN in decision.reasons or Condition.CONFIDENCE_TEST_RECORDED in decision.conditions


def gate_of(decision: Decision) -> str | None:
    """Give the gate that the rules found open: the person's consent, or protection from harm."""
    if Condition.CONSENT_RECORDED in decision.conditions:
        return "consent"
    return "protection" if Reason.CONFIDENCE_OVERRIDDEN in decision.reasons else None


def goes_to_safety(record: Record, *, request: RequestForInformation) -> bool:
    """Say whether a record answers a question about harm that was put to this agency."""
    asked = questions_put(request)
    return any(asked[code].protects for code in record.answers if code in asked)


def age_of(person: Person, *, day: date) -> int | None:
    """Give somebody's age in whole years, 0 before birth, the estimate where there is nothing better."""
    if person.dob is not None:
        return age_on(day, born=person.dob)
    return 0 if person.edd is not None else person.estimated_age


def _notes_of(one: Weighed, notes: LawfulNotes) -> RecordNotes:
    """Give what was written down about a record: in the form, and with a professional's own decision."""
    form = notes.records.get(one.key, RecordNotes())
    given = {name: value for name, value in one.notes if value is not None and getattr(form, name) is None}
    return form.model_copy(update={name: value for name, value in given.items() if name != "agreement"})


def _agreement(
    record: Record, recorded: AgreementToShare, *, request: RequestForInformation, standing: Standing
) -> AgreementToShare:
    """Give the person's stance as the record has it, with what was written down about it."""
    known = recorded.model_copy(
        update={
            "status": record.consent,
            "restricted_to": recorded.restricted_to or standing.consent_records_read_by,
            "retention": recorded.retention or standing.consent_records_kept,
        }
    )
    if known.age is not None:
        return known
    day = london_day(request.issued_at)
    ages = [age_of(request.persons[who], day=day) for who in record.subjects if who in request.persons]
    return known.model_copy(update={"age": min((age for age in ages if age is not None), default=None)})
