"""The inspection sample for people: one table of the draw, then each request with its clocks and its entries. Pure.

It is not for publication. It says how to draw it again, how to prove it, and what to ask the agencies, whose own books
alone say what a request was about.
"""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from broker.calendar import LONDON
from broker.ledger.tables import EPOCH, MICROSECOND
from broker.reports import paper
from broker.reports.months import Month
from broker.reports.paper import Source
from broker.reports.sample_file import EntryKept, RequestKept, SampleFile
from broker.reports.sheets import Sheet, csv_of, moment
from broker.reports.typeset import typeset
from schemas.envelope import Malformed, read_stub
from schemas.stub import BadCore, Event, Stub, read_core

WORDS: Final[Mapping[str, str]] = {"holds": "in the month", "drawn": "in the sample", "hash": "hash of the entry"}
MOST_KEPT: Final = 20
"""With more entries than this a request may run over a page."""
EVENTS: Final[Mapping[Event, str]] = {
    Event.REQUEST: "request",
    Event.RERATED: "rated anew",
    Event.RECALLED: "taken back",
    Event.ACKNOWLEDGED: "seen by a person",
    Event.QUESTION: "question, or sent back",
    Event.HELD: "held for a person",
    Event.PART_ANSWER: "answer in part",
    Event.ANSWER: "answer",
    Event.REFUSED: "refusal",
    Event.SUPPLEMENT: "supplement",
    Event.NOTICE: "notice",
    Event.CLOSED: "closed",
    Event.RECEIPT: "receipt",
    Event.HEARTBEAT: "sign of life",
}
QUESTIONS: Final = (
    "The council finds the enquiry of a reference by `mash report find REFERENCE`; an agency that was asked finds its "
    "own file of the request by the same command.",
    "Ask the council: why this rating, whom it asked and whom it did not and why, how consent stood and who overrode "
    "it, when it telephoned, what was decided with which answers, and when the referrer and the agencies were told.",
    "Ask the agency: who opened the request, which records were looked at, what was given or withheld on which ground "
    "and who approved it, and for a late answer, why.",
    "Either side can hand over its half as evidence that verifies offline: `mash evidence export`. "
    "The identifiers in it are those of the entries below.",
)


def files_of(sample: SampleFile) -> dict[str, bytes]:
    """Give the sample's files by their paths, all of them internal."""
    name = f"internal/sample-{sample.month}"
    return {
        f"{name}.json": sample.to_bytes(),
        f"{name}.csv": csv_of(_sheet(sample), sample.month).encode(),
        f"{name}.pdf": typeset(_page(sample), at=sample.as_at),
    }


def _page(sample: SampleFile) -> Mapping[str, Any]:
    ledger = sample.ledger
    sections = [
        paper.section(None, _facts(sample)),
        paper.section("How it was drawn", paper.lines(*_method(sample)), *_strata(sample)),
        paper.section("How to prove it", paper.points(*_proof(sample))),
        paper.section("What to ask", paper.points(*QUESTIONS)),
    ]
    for number, request in enumerate(sample.requests):
        sections.append(_request(request, new_page=number == 0))
    source = Source(ledger.entries, ledger.hash, ledger.kept_since)
    title = f"Inspection sample: {Month.read(sample.month).in_words}"
    return paper.page(title, sections, source=source, at=sample.as_at, inside=True)


def _facts(sample: SampleFile) -> paper.Block:
    return paper.facts(
        ("Month", f"{Month.read(sample.month).in_words}, by the date of issue in London"),
        ("As at", paper.moment(sample.as_at)),
        ("Sample", f"{len(sample.requests)} of {len(sample.frame)} requests"),
        ("Seed", sample.seed),
        ("Ledger", f"{sample.ledger.entries} entries, kept since {paper.moment(sample.ledger.kept_since)}"),
        ("Last hash", sample.ledger.hash),
    )


def _method(sample: SampleFile) -> tuple[str, ...]:
    parted = " and ".join(", ".join(sample.parted_by).rsplit(", ", 1)) or "nothing: there was one place for each agency"
    return (
        f"The month's requests were parted by {parted}. Each part has one place in the sample; further places went to "
        "the part furthest below its share (Sainte-Laguë).",
        "Within a part, requests come in the order of SHA-256 over the seed, the reference, who asked and who was "
        "asked, a line each. Whoever has the list and the seed draws the same sample.",
    )


def _strata(sample: SampleFile) -> tuple[paper.Block, ...]:
    head = (*sample.parted_by, "holds", "drawn") if sample.parted_by else ("part", "holds", "drawn")
    rows = tuple((*(one.of or ("all requests",)), str(one.holds), str(one.drawn)) for one in sample.strata)
    if not rows:
        return (paper.lines("Nothing was asked in this month."),)
    sheet = Sheet("strata", "Strata", head, rows, for_publication=False, left=len(head) - 2)
    return (paper.table(sheet, words=WORDS),)


def _proof(sample: SampleFile) -> tuple[str, ...]:
    file = f"sample-{sample.month}.json"
    return (
        f"`mash-hub report check {file}` verifies every signature and hash in the machine-readable file, works out "
        "what is said below from the signed entries alone, and draws the sample again.",
        f"`mash-hub report check {file} --db LEDGER` also draws it from the hub's whole ledger, which shows that no "
        "request and no entry was left out.",
        "The digests of the partners' directories in the file are to be compared with those that the registrar signed.",
    )


def _request(request: RequestKept, *, new_page: bool) -> paper.Block:
    answered = paper.moment(request.answered_at) if request.answered_at else "not at all"
    facts = paper.facts(
        ("Asked", f"{request.requester} asked {request.agency}, rated {request.rating}"),
        ("Issued", f"{paper.moment(request.issued_at)}, due {paper.moment(request.due_at)}"),
        ("Answered", f"{answered} ({request.outcome})"),
    )
    blocks = (
        facts,
        paper.heading("Clocks"),
        paper.table(_clocks(request), words=WORDS),
        paper.heading("Entries in the ledger"),
        paper.table(_entries(request), words=WORDS),
    )
    return paper.section(request.reference, *blocks, new_page=new_page, keep=len(request.entries) <= MOST_KEPT)


def _clocks(request: RequestKept) -> Sheet:
    rows = tuple(
        (
            one.clock,
            moment(one.due_at) if one.due_at else "–",
            moment(one.met_at) if one.met_at else "–",
            one.verdict,
        )
        for one in request.clocks
    )
    return Sheet(
        "clocks", "Clocks", ("clock", "due", "met", "which is"), rows, for_publication=False, left=4, widths="5445"
    )


def _entries(request: RequestKept) -> Sheet:
    rows = tuple(_entry(entry) for entry in request.entries)
    head = ("entry", "passed", "from", "what", "lane", "hash")
    return Sheet("entries", "Entries", head, rows, for_publication=False, left=6, widths="255644")


def _entry(entry: EntryKept) -> tuple[str, ...]:
    stub = _stub(entry)
    at = _received(entry).strftime("%d %b %H:%M:%S")
    return str(entry.number), at, stub.from_, EVENTS[stub.event], stub.lane.value, entry.hash[:12]


def _received(entry: EntryKept) -> datetime:
    return (EPOCH + entry.received * MICROSECOND).astimezone(LONDON)


def _stub(entry: EntryKept) -> Stub:
    frame = read_stub(b64decode(entry.stub))
    stub = BadCore("frame") if isinstance(frame, Malformed) else read_core(frame.head.core)
    if isinstance(stub, BadCore):
        raise ValueError("an entry of a verified ledger holds a stub")
    return stub


def _sheet(sample: SampleFile) -> Sheet:
    head = ("reference", "requester", "agency", "rating", "outcome", "issued", "due", "answered", "entries")
    rows = tuple(
        (
            one.reference,
            one.requester,
            one.agency,
            one.rating,
            one.outcome,
            moment(one.issued_at),
            moment(one.due_at),
            moment(one.answered_at) if one.answered_at else "no answer",
            " ".join(str(entry.number) for entry in one.entries),
        )
        for one in sample.requests
    )
    return Sheet("sample", "Sample", head, rows, for_publication=False)
