"""The Ashgrove-Test enquiry as it stands on Tuesday at 18:40: eight asked, one source owed, one part sealed."""

from datetime import UTC, date, datetime

from adapters.la.console.arrived import Arrived
from adapters.la.console.collation import Collation, collate
from adapters.la.console.enquiry import Form, PhonePrompt, Rating
from schemas.content.marking import Marking
from schemas.content.person import Person
from schemas.content.response import Item, Judgement, Nil, Referral, Refusal, TraceStatus
from tests.unit.console import office

PERSONS = {
    "tilly": "Tilly Ashgrove-Test",
    "rowan": "Rowan Ashgrove-Test",
    "carys": "Carys Ashgrove-Test",
    "dean": "Dean Holloway-Test",
}
ASK_POLICE = ("no_family_without_police", "refer_back_before_action")
CARE = ("decision_maker", "assessing_social_worker", "receiving_service")


def _at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


def _item(
    name: str,
    holder: str,
    nature: str,
    wording: str,
    *,
    onward: tuple[str, ...] = CARE,
    conditions: tuple[str, ...] = (),
    on: date | None = None,
    about: tuple[str, ...] = ("tilly",),
    grading: str | None = None,
    **changes: object,
) -> Item:
    kind = office.NAMES[holder][0]
    made = Item(
        item=name,
        category="social_care",
        wording=wording,
        summarised=False,
        subjects=about,
        event_on=on,
        marking=Marking(
            onward=onward,
            conditions=("mash_purpose_only", *conditions),
            nature=nature,
            originator=kind,
            holder=holder,
            chain=(holder,),
            grading=grading,
        ),
    )
    return made.model_copy(update=changes)


def _judged(level: str, best: str, analysis: str) -> Judgement:
    return Judgement(level_of_need=level, best_placed=best, analysis=analysis)


def _police() -> Arrived:
    return office.answered(
        "testford-police",
        _item(
            "POL-01",
            "testford-police",
            "fact",
            "Called to 4 Example Row by a neighbour. Carys Ashgrove-Test had a bruised cheek; Dean Holloway-Test "
            "had left. Both children were upstairs. No charge: complainant did not support a prosecution.",
            onward=("decision_maker", "assessing_social_worker"),
            conditions=ASK_POLICE,
            on=date(2026, 9, 19),
            about=("carys", "dean", "tilly", "rowan"),
        ),
        _item(
            "POL-06",
            "testford-police",
            "professional_opinion",
            "Officer attending noted that Tilly flinched when Dean was mentioned.",
            onward=("decision_maker", "assessing_social_worker"),
            conditions=(*ASK_POLICE, "opinion_labelled", "no_chronology_copy"),
            on=date(2026, 9, 19),
            summarised=True,
        ),
        at=_at(16, 45),
        sealed=_intelligence(),
        indicators=(
            office.indicator(
                conditions=("handling_conditions_verbatim",),
                handling_conditions=("Not to be discussed outside this meeting.",),
                sealed_for=("decision_maker",),
            ),
        ),
        referrals=(Referral(refer_to=("marac",), reasons=("MARAC_GOVERNED",)),),
        for_decision_maker=1,
        judgement=_judged("4", "children's social care with police", "Escalating domestic abuse, children present."),
    )


def _intelligence() -> tuple[Item, ...]:
    return (
        _item(
            "POL-02",
            "testford-police",
            "intelligence",
            "A named adult may be storing controlled drugs at the home address.",
            onward=("decision_maker",),
            conditions=(*ASK_POLICE, "intelligence_labelled", "no_chronology_copy"),
            on=date(2026, 10, 2),
            about=("dean",),
            grading="untested source; known indirectly but corroborated",
            summarised=True,
        ),
        _item(
            "POL-03",
            "testford-police",
            "intelligence",
            "A warrant is planned for the home address.",
            onward=(),
            conditions=("intelligence_labelled",),
            about=("dean",),
            grading="reliable source; known directly",
            summarised=True,
        ),
    )


def _education() -> Arrived:
    dsl = ("no_parent_without_dsl",)
    return office.answered(
        "testford-schools",
        _item("EDU-01", "testford-schools", "fact", "Attendance since September 71%; 14 lates.", on=date(2026, 11, 20)),
        _item(
            "EDU-02",
            "testford-schools",
            "own_words",
            "“Dean shouts and mum cries and I take Rowan under the bed. I don't want to go home \U0001f622”",
            onward=("decision_maker", "assessing_social_worker", "police"),
            conditions=(*dsl, "own_words_verbatim"),
            on=date(2026, 11, 23),
            about=("tilly", "rowan"),
        ),
        at=_at(11, 20),
        judgement=_judged("4", "children's social care", "Both children are frightened to go home."),
    )


def _health() -> Arrived:
    return office.answered(
        "testford-health",
        _item(
            "HLT-01",
            "testford-health",
            "fact",
            "Three of five developmental appointments for Rowan missed.",
            conditions=("hide_from_online_record",),
            on=date(2026, 6, 1),
            about=("rowan",),
        ),
        _item(
            "HLT-11",
            "testford-health",
            "third_party_report",
            "Health visitor was told by the grandmother that Dean keeps the mother's telephone.",
            conditions=("hide_from_online_record", "third_party_report_labelled"),
            about=("carys", "dean"),
        ),
        at=_at(17, 30),
        outstanding=(office.owed("gp", _at(18, 0)),),
        refusals=(Refusal(reasons=("NOT_RELEVANT", "EXCESSIVE")),),
        judgement=_judged("3", "children's social care", "Late booking and missed care; parenting under strain."),
    )


def _probation() -> Arrived:
    item = _item(
        "PRO-02",
        "testford-probation",
        "fact",
        "Dean Holloway-Test is under an order with a requirement: no unsupervised contact with under-18s.",
        onward=("decision_maker", "assessing_social_worker"),
        on=date(2026, 3, 2),
        about=("dean",),
        alerts=("urgent_content", "re_rate"),
    )
    judgement = _judged("4", "police", "Order at risk.")
    return office.answered("testford-probation", item, at=_at(13, 30), judgement=judgement)


def _housing() -> Arrived:
    item = _item(
        "HOU-02", "testford-housing", "fact", "Kitchen without working cooker; mould in the children's room.",
        on=date(2026, 9, 8), refer_to=("police",), summarised=True,
    )  # fmt: skip
    judgement = _judged("3", "housing", "Home in poor repair.")
    return office.answered("testford-housing", item, at=_at(12, 5), judgement=judgement)


def _idva() -> Arrived:
    item = _item(
        "IDV-02",
        "testford-idva",
        "own_words",
        "“He checks my phone. If he finds out I talked to anybody it will be bad.”",
        onward=("decision_maker", "assessing_social_worker", "police"),
        conditions=("safe_contact_only", "own_words_verbatim", "confidence_test_recorded"),
        on=date(2026, 11, 12),
        about=("carys",),
    )
    return office.answered(
        "testford-idva",
        item,
        at=_at(14, 0),
        referrals=(
            Referral(refer_to=("police",), reasons=("SECOND_HAND",)),
            Referral(refer_to=("marac",), reasons=("MARAC_GOVERNED",)),
        ),
        judgement=_judged("4", "IDVA and police", "High risk; safety plan in place."),
    )


def _early_help() -> Arrived:
    return office.answered(
        "testford-early-help",
        at=_at(10, 40),
        nil=Nil.NOTHING_TO_SHARE,
        traces={"tilly": TraceStatus.TRACE, "carys": TraceStatus.POSSIBLE_MATCH},
        judgement=_judged("2-3", "early help", "Closed in June 2025 with goals met."),
    )


def ashgrove(*, open_sealed: bool = False, **changes: object) -> Collation:
    """Give the collation; `changes` are the enquiry's own fields, such as `decided`."""
    prompt = PhonePrompt(
        prompt="p", participant="testford-police", cause="issue", raised_at=office.ISSUED, due_at=office.DUE
    )
    ratings = tuple(
        Rating(rag=rag, at=at, by="manager", rationale="r") for rag, at in (("AMBER", _at(10, 5)), ("RED", _at(14, 20)))
    )
    form = Form(persons={key: Person(name=name) for key, name in PERSONS.items()})
    enquiry = office.enquiry(*office.NAMES, form=form, ratings=ratings, prompts=(prompt,), **changes)  # type: ignore[arg-type]  # as above
    answers = (_police(), _education(), _health(), _probation(), _housing(), _idva(), _early_help())
    return collate(enquiry, answers, {}, register=office.register(), now=office.NOW, open_sealed=open_sealed)
