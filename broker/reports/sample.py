"""An inspection sample of one month, put together: the draw, and for each request its stubs, receipts and clocks.

The sample is of requests, and names them by the reference under which the hub speaks of a thread: the inspector takes
it to the agencies, whose own books say what it was about (REC-18). Everything that the hub knows of a request is in it,
in the form in which it can be proved without trusting the hub (`sample_check`).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from broker.calendars import Calendars
from broker.ledger.chain import KeptDirectory, Row
from broker.ledger.ledger import Ledger
from broker.ledger.tables import microseconds
from broker.reports.clocks_kept import clocks_of
from broker.reports.draw import Draw, Unit, draw
from broker.reports.from_ledger import Traced, traced
from broker.reports.months import Month
from broker.reports.paper import Source
from broker.reports.reading import Reading, directory_kept, rows_of
from broker.reports.sample_file import (
    DirectoryKept,
    EntryKept,
    LedgerKept,
    RequestKept,
    SampleFile,
    StratumKept,
)
from broker.watch.standing import Phase, Standing, standings_in

OUTCOMES: Final[Mapping[Phase, str]] = {
    Phase.ANSWERED: "in time",
    Phase.ANSWERED_LATE: "late",
    Phase.CLOSED: "closed",
    Phase.PARTICIPANT_LEFT: "closed",
    Phase.BREACHED: "no reply",
}
OTHERWISE: Final = "open"


@dataclass(frozen=True)
class Order:
    """What was asked for: the month, how many requests, the seed, and as of when they are shown."""

    month: Month
    size: int
    seed: str
    as_at: datetime


@dataclass(frozen=True)
class Listed:
    """One request of the month: as it is drawn, as it passed, and how it stood."""

    unit: Unit
    traced: Traced
    standing: Standing


async def make_sample(ledger: Ledger, reading: Reading, order: Order, *, calendars: Calendars) -> SampleFile:
    """Draw the sample out of a ledger that has been verified, and read what proves it."""
    listed = {one.unit: one for one in listed_in(reading, order, calendars=calendars)}
    drawn = draw(listed, size=order.size, seed=order.seed)
    chosen = [listed[unit] for unit in drawn.chosen]
    rows = await rows_of(ledger, sorted({number for one in chosen for number in one.traced.entries}))
    digests = sorted({row["checked_with"] for row in rows.values()})
    directories = [await directory_kept(ledger, digest) for digest in digests]
    requests = [
        request_kept(
            one, order, entries=tuple(_entry(rows[number]) for number in one.traced.entries), calendars=calendars
        )
        for one in chosen
    ]
    return _file(order, reading.source, drawn, requests, frame=sorted(listed), directories=directories)


def listed_in(reading: Reading, order: Order, *, calendars: Calendars) -> Iterator[Listed]:
    """Give every request of the month, as it stood at the order's moment."""
    for one in traced(reading.passages):
        for standing in standings_in(one.conversation, now=order.as_at, calendars=calendars):
            if standing.requester == one.history.requester and standing.issued_at in order.month:
                outcome = OUTCOMES.get(standing.phase, OTHERWISE)
                ends = standing.requester, standing.responder
                yield Listed(Unit(standing.reference, *ends, standing.rating.value, outcome), one, standing)


def request_kept(one: Listed, order: Order, *, entries: tuple[EntryKept, ...], calendars: Calendars) -> RequestKept:
    """Say what its entries say about a request."""
    standing = one.standing
    return RequestKept(
        **one.unit._asdict(),
        issued_at=standing.issued_at,
        due_at=standing.due_at,
        answered_at=standing.answered_at,
        clocks=clocks_of(one.traced, standing, now=order.as_at, calendars=calendars),
        entries=entries,
    )


def _entry(row: Row) -> EntryKept:
    return EntryKept(
        number=row["number"],
        received=microseconds(row["received_at"]),
        ingress_owner=row["ingress_owner"],
        directory=row["checked_with"].hex(),
        previous=row["previous"].hex(),
        hash=row["hash"].hex(),
        stub=b64encode(row["stub"]).decode(),
    )


def _file(
    order: Order,
    source: Source,
    drawn: Draw,
    requests: Sequence[RequestKept],
    *,
    frame: Sequence[Unit],
    directories: Sequence[KeptDirectory],
) -> SampleFile:
    return SampleFile(
        month=str(order.month),
        as_at=order.as_at,
        seed=order.seed,
        size=order.size,
        ledger=LedgerKept(entries=source.entries, hash=source.hash, kept_since=source.kept_since),
        parted_by=drawn.parted_by,
        strata=tuple(StratumKept(of=one.of, holds=one.holds, drawn=one.drawn) for one in drawn.strata),
        requests=tuple(requests),
        frame=tuple(tuple(unit) for unit in frame),
        directories=tuple(
            DirectoryKept(version=one.version, digest=one.digest.hex(), body=b64encode(one.body).decode())
            for one in directories
        ),
    )
