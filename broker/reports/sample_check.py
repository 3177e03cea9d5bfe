"""Whether a sample is what it says: from the file alone, or held against the ledger that it was drawn from.

From the file alone it is proved that every entry was signed by the agency that sent it and hashes to what it says
(L2 to L7, as for the whole ledger), that what is said about a request follows from its entries, and that the draw
follows from the list and the seed. That the list is whole and no entry was left out only the ledger proves:
`against_ledger` draws the sample again from as many entries and compares.
Pure but for the reading of the ledger. What is wrong is a value; a file that is no sample raises `NoSample`.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from pydantic import ValidationError

from broker.calendars import Calendars
from broker.errors import HubError
from broker.ledger.chain import Link, Passage, Row, columns_of, fault_of, passage_of, read_kept
from broker.ledger.ledger import Ledger
from broker.ledger.tables import EPOCH, MICROSECOND
from broker.reports.draw import Unit, draw
from broker.reports.months import Month
from broker.reports.paper import Source
from broker.reports.reading import Reading, read_verified
from broker.reports.sample import Order, listed_in, make_sample, request_kept
from broker.reports.sample_file import MOST_BYTES, EntryKept, RequestKept, SampleFile
from schemas.directory import Directory
from schemas.envelope import Malformed, read_stub
from schemas.stub import BadCore, read_core


class NoSample(HubError):
    """The file is no sample, or one of another format; nothing about it has been verified."""


@dataclass(frozen=True)
class SampleFault:
    """One thing that is not as it should be: a code, the request or `draw`, and the reason."""

    code: str
    where: str
    reason: str


def read_sample(content: bytes) -> SampleFile:
    """Read a sample. Raises `NoSample`, without content."""
    if len(content) > MOST_BYTES:
        raise NoSample("(too large)")
    try:
        return SampleFile.model_validate_json(content)
    except ValidationError as wrong:
        raise NoSample(f"({wrong.error_count()} faults of form)") from None


def faults_of(sample: SampleFile, *, calendars: Calendars) -> tuple[SampleFault, ...]:
    """Give everything that is wrong with the file by itself."""
    found = list(_draw_faults(sample))
    directories = dict(_directories(sample))
    hashes = {entry.number: entry.hash for request in sample.requests for entry in request.entries}
    for request in sample.requests:
        faults = tuple(_entry_faults(request, directories, hashes))
        found += faults or _request_faults(request, sample, calendars=calendars)
    return tuple(found)


async def against_ledger(sample: SampleFile, ledger: Ledger, *, calendars: Calendars) -> tuple[SampleFault, ...]:
    """Draw the sample again from the ledger's first entries, and give what differs. Raises what reading raises."""
    reading = await read_verified(ledger, entries=sample.ledger.entries)
    if reading.source.hash != sample.ledger.hash:
        return (SampleFault("S6", "ledger", "another ledger, or its entries are not those of then"),)
    made = await make_sample(ledger, reading, order_of(sample), calendars=calendars)
    differ = [name for name in SampleFile.model_fields if getattr(made, name) != getattr(sample, name)]
    return tuple(SampleFault("S7", name, "not what the ledger gives") for name in differ)


def order_of(sample: SampleFile) -> Order:
    """Give what the sample was made to."""
    return Order(Month.read(sample.month), sample.size, sample.seed, sample.as_at)


def _draw_faults(sample: SampleFile) -> Iterator[SampleFault]:
    frame = [Unit(*row) for row in sample.frame]
    drawn = draw(frame, size=sample.size, seed=sample.seed)
    chosen = tuple(_unit_of(request) for request in sample.requests)
    if chosen != drawn.chosen:
        yield SampleFault("S1", "draw", "the list and the seed give another sample")
    strata = tuple((one.of, one.holds, one.drawn) for one in sample.strata)
    if strata != tuple((one.of, one.holds, one.drawn) for one in drawn.strata):
        yield SampleFault("S1", "draw", "the strata are not those of the list")


def _unit_of(request: RequestKept) -> Unit:
    return Unit(request.reference, request.requester, request.agency, request.rating, request.outcome)


def _directories(sample: SampleFile) -> Iterator[tuple[str, Directory]]:
    """Give the directories whose bytes have the digest that they are named by; the others are as good as gone."""
    for kept in sample.directories:
        try:
            body = b64decode(kept.body, validate=True)
            if sha256(body).hexdigest() == kept.digest:
                yield kept.digest, read_kept(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _entry_faults(
    request: RequestKept, directories: Mapping[str, Directory], hashes: Mapping[int, str]
) -> Iterator[SampleFault]:
    for entry in request.entries:
        row = _row(entry)
        if row is None:
            yield SampleFault("S2", request.reference, f"entry {entry.number} holds no stub")
            continue
        fault = fault_of(row, after=Link(entry.number - 1, row["previous"]), directory=directories.get(entry.directory))
        if fault is not None:
            yield SampleFault("S3", request.reference, f"entry {fault.number}: {fault.reason} ({fault.code})")
        elif hashes.get(entry.number - 1, entry.previous) != entry.previous:
            yield SampleFault("S4", request.reference, f"entry {entry.number} does not follow the entry before it")


def _request_faults(request: RequestKept, sample: SampleFile, *, calendars: Calendars) -> Iterator[SampleFault]:
    """Work the request out again from its own entries: who, when, which rating, which clocks."""
    passages = tuple(_passages(request))
    source = Source(sample.ledger.entries, sample.ledger.hash, sample.ledger.kept_since)
    order = order_of(sample)
    for one in listed_in(Reading(source, passages), order, calendars=calendars):
        if one.unit == _unit_of(request):
            made = request_kept(one, order, entries=request.entries, calendars=calendars)
            if made == request and len(one.traced.entries) == len(request.entries):
                return
    yield SampleFault("S5", request.reference, "what is said about it does not follow from its entries")


def _passages(request: RequestKept) -> Iterator[Passage]:
    for entry in sorted(request.entries, key=lambda one: one.number):
        row = _row(entry)
        if row is not None:
            yield passage_of(row)


def _row(entry: EntryKept) -> Row | None:
    """Give the entry as the ledger's row, its columns read off the stub; None where the bytes are no stub."""
    try:
        stub_bytes = b64decode(entry.stub, validate=True)
    except (NotBase64, ValueError):
        return None
    frame = read_stub(stub_bytes)
    stub = BadCore("") if isinstance(frame, Malformed) else read_core(frame.head.core)
    if isinstance(frame, Malformed) or isinstance(stub, BadCore):
        return None
    return {
        **columns_of(stub),
        "number": entry.number,
        "received_at": EPOCH + entry.received * MICROSECOND,
        "ingress_owner": entry.ingress_owner,
        "checked_with": bytes.fromhex(entry.directory),
        "stub_hash": frame.stub_hash,
        "stub": stub_bytes,
        "previous": bytes.fromhex(entry.previous),
        "hash": bytes.fromhex(entry.hash),
    }


REASONS: Final[Mapping[str, str]] = {
    "S1": "the draw is not the one that the list and the seed give",
    "S2": "an entry holds no stub",
    "S3": "an entry is not as it was written, or not signed by who is said to have sent it",
    "S4": "two neighbouring entries do not follow each other",
    "S5": "what is said about a request does not follow from its entries",
    "S6": "the ledger is another one",
    "S7": "the ledger gives another sample",
}
"""Every code of a fault, for people."""
