"""A small MASH for tests: an enquiry about the Ashgrove-Test family, its parties, and answers made to measure."""

from datetime import UTC, date, datetime, timedelta

from adapters.la.console.arrived import Arrived, Progress
from adapters.la.console.collation import Collation, collate
from adapters.la.console.enquiry import Decided, Enquiry, Form, Issued, Rating
from adapters.la.console.register import Area, Contact, Party, Register
from schemas.content.marking import Marking
from schemas.content.response import (
    Indicator,
    Item,
    Judgement,
    OutstandingSource,
    Responder,
    Response,
    SealedPart,
    TraceStatus,
)
from schemas.content.rfi import Agreement

ISSUED = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 24, 18, 20, tzinfo=UTC)
ON_TIME = datetime(2026, 11, 24, 11, 20, tzinfo=UTC)
LATE = datetime(2026, 11, 25, 11, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 18, 40, tzinfo=UTC)
RESPONDER = Responder(name="R. Sample-Test", role="safeguarding lead", telephone="0113 496 0110")
NAMES = {
    "testford-police": ("police", "Testfordshire Police"),
    "testford-health": ("health", "Testford Health"),
    "testford-schools": ("education", "Testford Schools"),
    "testford-probation": ("probation", "Testfordshire Probation"),
    "testford-housing": ("housing", "Testford Housing"),
    "testford-idva": ("idva", "Testford IDVA Service"),
    "testford-recovery": ("substance_misuse", "Testford Recovery"),
    "testford-early-help": ("la", "Testfordshire Early Help"),
}


def register() -> Register:
    """Give the area's register with every party of the scenario."""
    duty = Contact(name="D. Officer-Test", telephone="0113 496 0100")
    return Register(
        area=Area(name="Testfordshire", emergency_duty_team=duty),
        agreement=Agreement(id="testford-mash", version="1", status="active"),
        parties=tuple(
            Party(participant=one, kind=kind, name=name, signatory="active", public_body=True, contact_officer=duty)
            for one, (kind, name) in NAMES.items()
        ),
    )


def enquiry(*participants: str, due: datetime = DUE, form: Form | None = None, **changes: object) -> Enquiry:
    """Give an enquiry that has gone out to `participants`; the request to X is called `rfi-X`."""
    issued = tuple(
        Issued(
            participant=one,
            rfi=f"rfi-{one}",
            thread="t",
            message=f"out-{one}",
            mid=f"m-{one}",
            issued_at=ISSUED,
            due_at=due,
            urgent=True,
        )
        for one in participants
    )
    made = Enquiry(
        reference="ENQ-2026-000431",
        opened_at=ISSUED - timedelta(hours=1),
        opened_by="coordinator",
        form=form or Form(),
        issued=issued,
        ratings=(Rating(rag="AMBER", at=ISSUED, by="manager", rationale="as first seen"),),
        not_contacted={"dwp": "no relevance stated", "yot": "no child aged 10 or over"},
    )
    return made.model_copy(update=changes)


def marking(*onward: str, **changes: object) -> Marking:
    """Give a marking that names these audiences and nobody else."""
    made = Marking(onward=onward, nature="fact", originator="housing", holder="testford-housing")
    return made.model_copy(update=changes)


def item(name: str, *onward: str, wording: str | None = None, marks: Marking | None = None, **changes: object) -> Item:
    """Give an item that names these audiences and nobody else."""
    made = Item(
        item=name,
        category="housing",
        wording=wording or f"wording of {name}",
        summarised=False,
        subjects=("tilly",),
        event_on=date(2026, 8, 14),
        marking=marks or marking(*onward),
    )
    return made.model_copy(update=changes)


def answered(
    participant: str, *items: Item, at: datetime = ON_TIME, sealed: tuple[Item, ...] = (), **changes: object
) -> Arrived:
    """Give an answer of `participant` as it arrived."""
    response = Response(
        enquiry="ENQ-2026-000431",
        rfi=f"rfi-{participant}",
        as_at=at,
        responder=RESPONDER,
        traces={"tilly": TraceStatus.TRACE},
        items=items,
    )
    part = SealedPart(items=sealed) if sealed else None
    return Arrived(at=at, response=response.model_copy(update=changes), sealed=part)


def judged(level: str, best_placed: str = "children's social care") -> Judgement:
    """Give a professional judgement at this level of need."""
    return Judgement(level_of_need=level, best_placed=best_placed, analysis=f"reasons for level {level}")


def owed(source: str, due: datetime = DUE) -> OutstandingSource:
    """Give a source that an answer names as still owed."""
    return OutstandingSource(source=source, due_at=due)


def indicator(name: str = "held", **changes: object) -> Indicator:
    """Give an indicator that confidential information is held."""
    made = Indicator(item=name, contact="Force Intelligence Desk-Test", telephone="020 7946 0199")
    return made.model_copy(update=changes)


def decided(outcome: str = "early_help", **changes: object) -> Decided:
    """Give a decision."""
    made = Decided(
        at=NOW,
        by="decision-maker",
        outcome=outcome,
        level_of_need="2",
        rationale="a rationale that may quote a partner",
        next_step="a next step that may quote a partner",
        seen=("testford-housing",),
        not_seen=(),
        referrer_due_at=NOW + timedelta(days=1),
        partners_due_at=NOW + timedelta(days=3),
    )
    return made.model_copy(update=changes)


def collation(
    *arrived: Arrived,
    asked: tuple[str, ...] = (),
    now: datetime = NOW,
    progress: dict[str, Progress] | None = None,
    open_sealed: bool = False,
    due: datetime = DUE,
    **changes: object,
) -> Collation:
    """Collate these answers to an enquiry that asked their senders, and those in `asked`."""
    senders = dict.fromkeys((*(one.response.rfi.removeprefix("rfi-") for one in arrived), *asked))
    made = enquiry(*senders, due=due, **changes)  # type: ignore[arg-type]  # changes are the enquiry's own fields
    return collate(made, arrived, progress or {}, register=register(), now=now, open_sealed=open_sealed)
