"""What is printed: the collation as a pack, the handover pack, and letters, as data for the typesetter.

Every sheet bears the highest classification of what is on it, how to handle it, that it is an uncontrolled copy, and
who printed it when (DIS-14, DIS-15); every item bears its own marking in full. What goes on paper is what the reader
may take away (`handover.takeaway`), never more. A print is to be logged: `Printed.entry` is the line for the history.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from adapters.la.console import phrases
from adapters.la.console.chronology import chronology, is_urgent
from adapters.la.console.collation import CollatedItem, Collation, HeldBack
from adapters.la.console.enquiry import Entry
from adapters.la.console.handover import HandoverPack, takeaway
from adapters.la.console.legible import LONDON, day, moment
from adapters.la.console.letters import TITLES, Letter
from adapters.la.console.register import UseAfterMash
from adapters.la.console.render_items import scale
from adapters.la.console.typeset import typeset
from adapters.la.console.wording import AUDIENCES, DECISIONS, LEVELS, ORIGINATORS, in_words
from schemas.content.marking import MOST_RESTRICTIVE_CARRIED, highest_classification
from schemas.content.response import SNAPSHOT_NOTICE

# A wording shorter than about half a sheet stays on one, so that it is never parted from its marking.
MAY_BREAK: Final = 2000
LEGEND: Final = "Uncontrolled copy when printed: the record in the MASH may have moved on."
TO_THE_ADDRESSEE: Final = "Handling: personal. For the person it is addressed to, and nobody else."
HANDLING: Final = (
    "Handling: for {whom} only, for this enquiry only. Pass nothing on to anybody whom the item itself does not name. "
    "Keep it locked away; destroy it as confidential waste."
)
USE: Final[Mapping[UseAfterMash, str]] = {
    UseAfterMash.MASH_ONLY: (
        "For the immediate MASH risk assessment only. Obtain the information anew, first hand, before you use it in "
        "any later assessment."
    ),
    UseAfterMash.ASSESSMENT: "May be used in the assessment that follows this enquiry, under each item's conditions.",
}

Block = dict[str, Any]


@dataclass(frozen=True)
class Printed:
    """One print: the PDF, and what has to be written down about it. Its repr shows no content."""

    pdf: bytes = field(repr=False)
    what: str
    classification: str
    items: tuple[str, ...]
    printed_by: str = field(repr=False)
    printed_at: datetime

    @property
    def sha256(self) -> str:
        """The digest by which a sheet found later can be told from another print."""
        return hashlib.sha256(self.pdf).hexdigest()

    @property
    def entry(self) -> Entry:
        """The line for the enquiry's history (DIS-14); no personal data."""
        line = f"printed {self.what}: {phrases.count(len(self.items), 'item')}, sha256 {self.sha256}"
        return Entry(at=self.printed_at, by=self.printed_by, what=line)


@dataclass(frozen=True)
class _Cover:
    what: str
    handling: str
    reference: str
    classification: str
    printed_by: str
    printed_at: datetime


def collation_pdf(collation: Collation, *, printed_by: str, printed_at: datetime) -> Printed:
    """Print the collation for its reader: team, or decision maker with what was sealed for them."""
    selection = takeaway(collation, collation.reader)
    whom = in_words(AUDIENCES, collation.reader)
    classification = highest_classification((selection.classification, MOST_RESTRICTIVE_CARRIED))
    facts = _facts(
        ("Enquiry", collation.enquiry),
        ("Rating", collation.rag or "not rated"),
        ("As at", moment(collation.as_at)),
        ("For", whom),
        ("Notice", SNAPSHOT_NOTICE),
    )
    sections = [
        _section(None, facts),
        *_course(collation, selection.items),
        *_what_they_say(selection.items, collation.persons),
        *_what_is_not_here(collation, phrases.left_out(selection.left_out)),
    ]
    cover = _Cover(
        what=f"the collation for {whom}",
        handling=HANDLING.format(whom=whom),
        reference=collation.enquiry,
        classification=classification,
        printed_by=printed_by,
        printed_at=printed_at,
    )
    title = f"What the agencies know: {collation.enquiry}"
    return _print("pack.typ", cover, selection.items, {"title": title, "sections": sections})


def handover_pdf(pack: HandoverPack, *, printed_by: str, printed_at: datetime) -> Printed:
    """Print the pack for a service. It says nothing of what is not in it."""
    whom = in_words(AUDIENCES, pack.audience)
    decided = in_words(DECISIONS, pack.outcome) if pack.outcome else "not decided yet"
    facts = _facts(
        ("Enquiry", pack.enquiry),
        ("Decision", decided),
        ("For", whom),
        ("Made", f"{moment(pack.made_at)} by {pack.made_by}"),
        ("Use", USE[pack.use_after_mash]),
    )
    concerns = [_section("The concerns that were referred", _lines(pack.concerns))] if pack.concerns else []
    sections = [_section(None, facts), *concerns, *_what_they_say(pack.items, pack.persons)]
    cover = _Cover(
        what=f"the handover pack for {whom}",
        handling=HANDLING.format(whom=whom),
        reference=pack.enquiry,
        classification=pack.classification,
        printed_by=printed_by,
        printed_at=printed_at,
    )
    title = f"Handover to {whom}: {pack.enquiry}"
    return _print("pack.typ", cover, pack.items, {"title": title, "sections": sections})


def letter_pdf(letter: Letter, *, printed_by: str, printed_at: datetime) -> Printed:
    """Print a letter to the referrer or the family."""
    data = {
        "title": TITLES[letter.kind],
        "sender": letter.sender.model_dump(),
        "date": day(letter.written_at.astimezone(LONDON).date()),
        "addressed_to": letter.addressed_to,
        "paragraphs": letter.paragraphs,
        "items": [_item(one, letter.persons) for one in letter.items],
    }
    cover = _Cover(
        what=f"the letter to the {letter.kind}",
        handling=TO_THE_ADDRESSEE,
        reference=letter.enquiry,
        classification=highest_classification(one.item.marking.gsc for one in letter.items),
        printed_by=printed_by,
        printed_at=printed_at,
    )
    return _print("letter.typ", cover, letter.items, data)


def _print(template: str, cover: _Cover, items: Iterable[CollatedItem], data: Mapping[str, Any]) -> Printed:
    whole = {
        **data,
        "classification": cover.classification,
        "reference": cover.reference,
        "handling": cover.handling,
        "legend": LEGEND,
        "printed": f"Printed by {cover.printed_by} on {moment(cover.printed_at)}.",
    }
    return Printed(
        pdf=typeset(template, whole, at=cover.printed_at),
        what=cover.what,
        classification=cover.classification,
        items=tuple(one.item.item for one in items),
        printed_by=cover.printed_by,
        printed_at=cover.printed_at,
    )


def _course(collation: Collation, items: tuple[CollatedItem, ...]) -> Iterator[Block]:
    decided = phrases.decision(collation.decided, collation.rows, now=collation.as_at)
    yield _section("Decision", _lines(*decided))
    urgent = chronology(items).urgent
    if urgent:
        yield _section("Urgent: read first", *[_item(one, collation.persons) for one in urgent])
    if collation.rows:
        yield _section("Who answered", _answers(collation))
    judged = [row for row in collation.rows if row.level_of_need]
    if judged:
        title = "Levels of need: they differ" if collation.levels_differ else "Levels of need"
        reasons = [f"{row.name}, level {row.level_of_need}: {row.analysis}" for row in judged if row.analysis]
        yield _section(title, _levels(collation), _points(*reasons))


def _answers(collation: Collation) -> Block:
    rows = [
        [
            row.name,
            "\n".join(phrases.answer(row, now=collation.as_at)),
            row.level_of_need or "–",
            row.best_placed or "–",
            "\n".join(phrases.came(row, collation.persons)) or "–",
        ]
        for row in collation.rows
    ]
    return _table(("Agency", "Answer", "Need", "Best placed", "What came"), rows, widths=(5, 6, 2, 4, 6), centre=(2,))


def _levels(collation: Collation) -> Block:
    rows = [[row.name, *scale(row.level_of_need)] for row in collation.rows if row.level_of_need]
    head = ("Agency", *(f"{level}\n{name}" for level, name in LEVELS.items()))
    return _table(head, rows, widths=(6, 3, 3, 3, 3), centre=(1, 2, 3, 4))


def _what_they_say(items: tuple[CollatedItem, ...], names: Mapping[str, str]) -> Iterator[Block]:
    story = chronology(items)
    told = [_pointer(one) if is_urgent(one) else _item(one, names) for one in story.dated]
    yield _section("In the order in which it happened", *(told or [_lines("There are no items.")]))
    if story.apart:
        yield _section("Not to be copied into a chronology", *[_item(one, names) for one in story.apart])


def _what_is_not_here(collation: Collation, left_out: list[str]) -> Iterator[Block]:
    if collation.held_back:
        held = [
            "\n".join((f"{one.name} {phrases.held(one)}", *phrases.held_points(one))) for one in collation.held_back
        ]
        yield _section("Held back", _points(*held))
    owed = [line for _, line in phrases.still_owed(collation)]
    yield _section("Still owed", _points(*owed) if owed else _lines("Nothing: everybody asked has answered."))
    if left_out:
        yield _section("Not in this print", _points(*left_out))
    if collation.not_contacted:
        lines = [f"{in_words(ORIGINATORS, kind)}: {reason}" for kind, reason in collation.not_contacted.items()]
        yield _section("Not contacted, and why", _points(*lines))
    yield _section("In figures", _lines(phrases.counters(collation.counters)))


def _item(one: CollatedItem, names: Mapping[str, str]) -> Block:
    return {
        "kind": "item",
        "urgent": is_urgent(one),
        "breakable": len(one.item.wording) + 90 * one.item.wording.count("\n") > MAY_BREAK,
        "caption": " · ".join(phrases.caption(one, names)),
        "remarks": " · ".join(phrases.remarks(one)),
        "wording": one.item.wording,
        "classification": one.item.marking.gsc,
        "audiences": phrases.audiences(one),
        "bindings": list(phrases.bindings(one)),
        "provenance": phrases.provenance(one),
    }


def _held(one: HeldBack) -> str:
    return "\n".join((f"{one.name} {phrases.held(one)}", *phrases.held_points(one)))


def _pointer(one: CollatedItem) -> Block:
    return {"kind": "pointer", "line": f"{phrases.day_of(one)} · {one.name} · see the urgent item on top"}


def _section(title: str | None, *blocks: Block) -> Block:
    return {"title": title, "blocks": list(blocks)}


def _lines(*lines: str) -> Block:
    return {"kind": "lines", "lines": list(lines)}


def _points(*lines: str) -> Block:
    return {"kind": "points", "lines": list(lines)}


def _facts(*rows: tuple[str, str]) -> Block:
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def _table(head: tuple[str, ...], rows: list[list[str]], *, widths: tuple[int, ...], centre: tuple[int, ...]) -> Block:
    align = ["centre" if column in centre else "left" for column in range(len(head))]
    return {"kind": "table", "head": list(head), "rows": rows, "widths": list(widths), "align": align}
