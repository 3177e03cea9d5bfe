"""The collation as JSON, for the case system and for `--json`: shape `mash.collation.v1`, with stable keys.

The shape is its own and not the collation's: a rename inside does not change what a case system reads. Every key is
always there, null or empty where there is nothing; times are ISO 8601 in UTC. A new key may be added; one that is
removed or means something else makes `v2`. `schemas/json/collation.v1.json` is this shape as a JSON Schema.
What is exported is what the reader may take away (`handover.takeaway`), so every item bears its marking (DIS-08).
"""

import json
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field, PlainSerializer

from adapters.la.console.collation import CollatedItem, Collation, HeldBack, Row, Status
from adapters.la.console.enquiry import Decided
from adapters.la.console.figures import Counters
from adapters.la.console.handover import Selection, on_screen, takeaway
from adapters.la.console.wording import CONDITIONS, Left, in_words, who_may_receive
from schemas.content.base import Content
from schemas.content.codes import Audience
from schemas.content.marking import MOST_RESTRICTIVE_CARRIED, highest_classification
from schemas.content.response import SNAPSHOT_NOTICE, Nil, TraceStatus

SHAPE: Final = "mash.collation.v1"
HeldKind = Literal["confidential_information_held", "ask_somebody_else", "withheld"]


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(_utc, return_type=str, when_used="json")]


class Shape(Content):
    """A part of the exported shape: in the schema every key is required, since every key is always written."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True, populate_by_name=True)


class Owed(Shape):
    """A source within an agency that has not answered."""

    source: str
    due_at: Moment


class Agency(Shape):
    """One agency's line: where its answer stands, its judgement, and how much of what came."""

    participant: str
    name: str
    request: str
    status: Status
    due_at: Moment
    received_at: Moment | None
    seen_at: Moment | None
    answered_at: Moment | None
    late: bool
    overdue: bool
    by_telephone: bool
    nil: Nil | None
    level_of_need: str | None
    best_placed: str | None
    analysis: str | None
    traces: dict[str, TraceStatus]
    items: int
    for_decision_maker: int
    confidential_information_held: int
    ask_somebody_else: int
    withheld: int
    supplements: int
    owed: tuple[Owed, ...]
    gaps: tuple[str, ...]


class ItemMarking(Shape):
    """What travels with the item: codes for a program, and the same in words for whoever reads the record."""

    classification: str
    nature: str
    originator: str
    holder: str
    obtained: str
    through: tuple[str, ...]
    audiences: tuple[str, ...]
    audiences_in_words: str
    conditions: tuple[str, ...]
    conditions_in_words: tuple[str, ...]
    handling_conditions: tuple[str, ...]
    grading: str | None


class ExportedItem(Shape):
    """One item with its marking."""

    item: str
    participant: str
    name: str
    arrived_at: Moment
    sealed: bool
    supplement: bool
    late: bool
    category: str
    wording: str
    summarised: bool
    subjects: tuple[str, ...]
    event_on: date | None
    recorded_on: date | None
    answers: tuple[str, ...]
    reasons: tuple[str, ...]
    alerts: tuple[str, ...]
    ask_also: tuple[str, ...]
    source: str | None
    marking: ItemMarking


class Held(Shape):
    """What an agency holds and did not give."""

    participant: str
    name: str
    kind: HeldKind
    contact: str | None
    telephone: str | None
    conditions: tuple[str, ...]
    handling_conditions: tuple[str, ...]
    alerts: tuple[str, ...]
    sealed_for: tuple[str, ...]
    ask: tuple[str, ...]
    reasons: tuple[str, ...]
    note: str | None


class Decision(Shape):
    """The decision maker's decision, with what had been seen and what had not."""

    at: Moment
    by: str
    outcome: str
    level_of_need: str
    rationale: str
    next_step: str
    seen: tuple[str, ...]
    not_seen: tuple[str, ...]
    referrer_due_at: Moment
    partners_due_at: Moment


class Level(Shape):
    """One agency's level of need; they are set side by side and never averaged."""

    participant: str
    name: str
    level_of_need: str


class CollationDocument(Shape):
    """The whole document. `left_out` counts what its reader was not given, by reason, and says nothing of it."""

    shape: Literal["mash.collation.v1"] = Field(default=SHAPE, alias="schema")
    enquiry: str
    rag: str | None
    as_at: Moment
    reader: Audience
    purpose: Literal["MASH_RISK_ASSESSMENT"] = "MASH_RISK_ASSESSMENT"
    classification: str
    notice: str
    agencies: tuple[Agency, ...]
    items: tuple[ExportedItem, ...]
    left_out: dict[Left, int]
    held_back: tuple[Held, ...]
    not_contacted: dict[str, str]
    levels_of_need: tuple[Level, ...]
    levels_differ: bool
    decided: Decision | None
    counters: Counters


def document(collation: Collation, *, for_screen: bool = False) -> CollationDocument:
    """Give the document for the collation's reader; `for_screen` adds what may be read and not taken away."""
    reader = collation.reader
    selection: Selection = on_screen(collation, reader) if for_screen else takeaway(collation, reader)
    return CollationDocument(
        enquiry=collation.enquiry,
        rag=collation.rag,
        as_at=collation.as_at,
        reader=reader,
        classification=highest_classification((selection.classification, MOST_RESTRICTIVE_CARRIED)),
        notice=SNAPSHOT_NOTICE,
        agencies=tuple(_agency(row) for row in collation.rows),
        items=tuple(_item(one) for one in selection.items),
        left_out=selection.left_out,
        held_back=tuple(_held(one) for one in collation.held_back),
        not_contacted=collation.not_contacted,
        levels_of_need=tuple(
            Level(participant=row.participant, name=row.name, level_of_need=row.level_of_need)
            for row in collation.rows
            if row.level_of_need
        ),
        levels_differ=collation.levels_differ,
        decided=_decision(collation.decided),
        counters=collation.counters,
    )


def collation_json(collation: Collation, *, for_screen: bool = False) -> str:
    """Give the document as text, keys in the order of the schema, ending in a line break."""
    plain = document(collation, for_screen=for_screen).model_dump(mode="json", by_alias=True)
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"


def schema_text() -> str:
    """Give the JSON Schema of the shape, as it stands in `schemas/json/collation.v1.json`."""
    schema = CollationDocument.model_json_schema(mode="serialization", by_alias=True)
    plain = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SHAPE}", **schema}
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"


def _agency(row: Row) -> Agency:
    return Agency(
        **row.model_dump(include=set(Agency.model_fields) & set(Row.model_fields) - {"owed"}),
        request=row.rfi,
        by_telephone=row.by_phone,
        confidential_information_held=row.indicated,
        ask_somebody_else=row.referred,
        withheld=row.refused,
        owed=tuple(Owed(source=source, due_at=until) for source, until in row.owed_until.items()),
    )


def _item(one: CollatedItem) -> ExportedItem:
    item, marking = one.item, one.item.marking
    kept = set(ExportedItem.model_fields) - {"marking", "ask_also"}
    return ExportedItem(
        **one.model_dump(include=kept - {"item"}),
        **item.model_dump(include=kept),
        ask_also=item.refer_to,
        marking=ItemMarking(
            **marking.model_dump(include=set(ItemMarking.model_fields)),
            classification=marking.gsc,
            through=marking.chain,
            audiences=marking.onward,
            audiences_in_words=who_may_receive(marking.onward, sealed=one.sealed),
            conditions_in_words=tuple(in_words(CONDITIONS, code) for code in marking.conditions),
        ),
    )


def _held(one: HeldBack) -> Held:
    indicator, referral, refusal = one.indicator, one.referral, one.refusal
    kind: HeldKind = "confidential_information_held" if indicator else "ask_somebody_else" if referral else "withheld"
    return Held(
        participant=one.participant,
        name=one.name,
        kind=kind,
        contact=indicator.contact if indicator else None,
        telephone=indicator.telephone if indicator else None,
        conditions=indicator.conditions if indicator else (),
        handling_conditions=indicator.handling_conditions if indicator else (),
        alerts=indicator.alerts if indicator else (),
        sealed_for=indicator.sealed_for if indicator else (),
        ask=referral.refer_to if referral else (),
        reasons=referral.reasons if referral else refusal.reasons if refusal else (),
        note=one.note,
    )


def _decision(decided: Decided | None) -> Decision | None:
    return Decision(**decided.model_dump(include=set(Decision.model_fields))) if decided else None
