"""A practitioner's desk for tests: one request to housing, records made to measure, and decisions as the rules give."""

from datetime import UTC, datetime

from adapters.kit.desk.answer import Answer, Holder, Judged, answer
from adapters.kit.desk.request_file import Candidate, Reading, RequestFile
from adapters.kit.disclosure import Decision
from schemas.content.codes import Outcome
from schemas.content.record import Record
from schemas.content.response import Judgement, Responder, TraceStatus
from tests.support.ashgrove import request_to

NOW = datetime(2026, 11, 24, 12, 5, tzinfo=UTC)
SOURCE = "housing"
HOLDER = Holder("testford-housing", "housing", "Tenancy safeguarding desk", "0113 496 0170")
RESPONDER = Responder(name="H. Sample-Test", role="housing lead", telephone="0113 496 0170")
JUDGEMENT = Judgement(level_of_need="3", best_placed="children's social care", analysis="poor condition of the home")
TEAM = ("decision_maker", "assessing_social_worker")


def record(key: str = "HOU-01", **changes: object) -> Record:
    """Give a record about the child, without a prepared wording."""
    made = Record(
        record_id=key,
        record_type="inspection",
        category="housing",
        subjects=("tilly",),
        text=f"text of {key}",
        nature="fact",
        answers=("tenancy_condition",),
    )
    return made.model_copy(update=changes)


def candidate(key: str = "HOU-01", **changes: object) -> Candidate:
    """Give a candidate; changes to the record are given as `record=`."""
    made = Candidate(item=f"item-{key}", record=record(key))
    return made.model_copy(update=changes)


def judged(one: Candidate | None = None, outcome: Outcome = Outcome.SHARE, **changes: object) -> Judged:
    """Give a candidate with a decision that would let it go to the team."""
    own = one or candidate()
    onward = TEAM if outcome in (Outcome.SHARE, Outcome.SUMMARISE) else ()
    told: dict[str, object] = {"onward": onward, **changes}
    return Judged(own, Decision(own.key, outcome, **told))  # type: ignore[arg-type]  # the decision's own fields


def reading(*sources: str, unread: tuple[str, ...] = (), accepted_by: str | None = None, **traces: str) -> Reading:
    """Give one look-up; without traces the child was found and nobody else."""
    found = {key: TraceStatus(trace) for key, trace in (traces or {"tilly": "trace"}).items()}
    return Reading(at=NOW, sources=sources or (SOURCE,), traces=found, unread=unread, accepted_by=accepted_by)


def file(*readings: Reading, sources: tuple[str, ...] = (SOURCE,), **changes: object) -> RequestFile:
    """Give a file that was looked up once and judged, unless `changes` says otherwise."""
    made = RequestFile(
        rfi=request_to("housing"),
        sender="testford-council",
        thread="t" * 22,
        mid="m" * 22,
        received_at=NOW,
        state="open",
        sources=sources,
        readings=readings or (reading(),),
        judgement=JUDGEMENT,
    )
    return made.model_copy(update=changes)


def replied(about: RequestFile, *judgements: Judged) -> Answer:
    """Give the answer that these decisions come to."""
    return answer(about, judgements, holder=HOLDER, responder=RESPONDER, now=NOW)
