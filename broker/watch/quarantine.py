"""What the watch refused: counted for ever, kept for a while, and never more than fits a fixed space (M16).

A refused envelope leaves its size and hash, who brought it in, on which lane, and why. Its stub is kept only where the
core kept to its alphabet and its closed list of fields (E04 on): before that, the bytes may say anything, and a name
must not come into the hub's store by being refused.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.hub import Delivery
from broker.ledger.ledger import Ledger
from broker.ledger.tables import quarantine, refusals
from broker.verify import Circumstances, Refusal, VerifiedStub, check_envelope
from schemas.directory import Directory
from schemas.envelope import Malformed, read_envelope
from schemas.routing import Lane

MAX_ROWS: Final = 2_000
MAX_STUB: Final = 96 * 1024
LONGEST_DETAIL: Final = 80
_SAYS_ANYTHING: Final = frozenset({"E00", "E01", "E02", "E03", "E99"})


@dataclass(frozen=True)
class Tally:
    """How often one participant's exchange brought in what was refused for one reason."""

    ingress_owner: str
    code: str
    detail: str
    total: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Held:
    """One row of the quarantine; `stub` is None where nothing of the bytes was kept."""

    number: int
    at: datetime
    ingress_owner: str
    lane: str
    code: str
    detail: str
    size: int
    body_hash: bytes
    stub: bytes | None


@dataclass(frozen=True)
class Judged:
    """What became of one row that was verified again: entered in the ledger (`refusal` None), or still refused."""

    held: Held
    refusal: Refusal | None


async def put(ledger: Ledger, delivery: Delivery, refusal: Refusal, *, at: datetime, max_rows: int = MAX_ROWS) -> None:
    """Count a refusal and keep what may be kept of it; the oldest rows make room."""
    row = {
        "at": at,
        "ingress_owner": delivery.ingress_owner[:40],
        "lane": delivery.lane.value,
        "code": refusal.code,
        "detail": refusal.detail[:LONGEST_DETAIL],
        "size": len(delivery.body),
        "body_hash": sha256(delivery.body).digest(),
        "stub": _stub_of(delivery.body, refusal),
    }
    async with ledger.writing() as connection:
        number = (await connection.execute(insert(quarantine).values(row))).inserted_primary_key
        assert number is not None, "the database numbers the rows"  # noqa: S101 - for the type checker
        await connection.execute(delete(quarantine).where(quarantine.c.number <= number[0] - max_rows))
        await _count(connection, row)


async def tallies(ledger: Ledger) -> tuple[Tally, ...]:
    """Give every count."""
    async with ledger.reading() as connection:
        rows = await connection.execute(select(refusals).order_by(refusals.c.ingress_owner, refusals.c.code))
        return tuple(Tally(**row) for row in rows.mappings())


async def held(ledger: Ledger, *, limit: int = 100) -> tuple[Held, ...]:
    """Give what is in the quarantine, youngest first."""
    async with ledger.reading() as connection:
        rows = await connection.execute(select(quarantine).order_by(quarantine.c.number.desc()).limit(limit))
        return tuple(Held(**row) for row in rows.mappings())


async def size(ledger: Ledger) -> int:
    """Count the rows of the quarantine."""
    async with ledger.reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(quarantine))).scalar_one())


async def readmit(ledger: Ledger, directory: Directory) -> tuple[Judged, ...]:
    """Verify every stub of the quarantine again, by today's directory and the time when it came, oldest first.

    What verifies now is entered in the ledger and leaves the quarantine; what does not stays, and nothing of which no
    stub was kept is looked at. For stubs that were refused because the hub's directory was behind, or wrong.
    """
    judged = []
    for row in reversed(await held(ledger, limit=MAX_ROWS)):
        if row.stub is None:
            continue
        around = Circumstances(row.ingress_owner, Lane(row.lane), False, directory, row.at)
        verdict = check_envelope(row.stub, around, stub_only=True)
        if isinstance(verdict, VerifiedStub):
            await ledger.append(verdict, ingress_owner=row.ingress_owner, directory=directory, received_at=row.at)
            async with ledger.writing() as connection:
                await connection.execute(delete(quarantine).where(quarantine.c.number == row.number))
        judged.append(Judged(row, verdict if isinstance(verdict, Refusal) else None))
    return tuple(judged)


def _stub_of(body: bytes, refusal: Refusal) -> bytes | None:
    if refusal.code in _SAYS_ANYTHING:
        return None
    frame = read_envelope(body)
    return None if isinstance(frame, Malformed) or len(frame.stub) > MAX_STUB else frame.stub


async def _count(connection: AsyncConnection, row: dict[str, Any]) -> None:
    names = ("ingress_owner", "code", "detail")
    here = [refusals.c[name] == row[name] for name in names]
    counted = await connection.execute(
        update(refusals).where(*here).values(total=refusals.c.total + 1, last_at=row["at"])
    )
    if not counted.rowcount:
        first = {name: row[name] for name in names} | {"total": 1, "first_at": row["at"], "last_at": row["at"]}
        await connection.execute(insert(refusals).values(first))
