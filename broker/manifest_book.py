"""Which manifests were made and sent, and what agencies answered: one row an agency and day.

The signed bytes are stored before they are sent and kept until the hub has confirmed them: a restart, or a second watch
on this ledger, sends the same bytes again and never another manifest for the same day.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from broker.ledger.ledger import Ledger
from broker.ledger.tables import Moment, metadata
from schemas.reconciliation import Difference, Reconciled

manifests: Final = Table(
    "manifest_sent",
    metadata,
    Column("participant", String(40), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("body", LargeBinary),
    Column("made_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("answered_at", Moment),
    Column("count", BigInteger),
    Column("differences", Text),
    Index("manifest_sent_by_day", "day"),
)


@dataclass(frozen=True)
class Unreconciled:
    """An agency's last answer said that its books and the hub's differ: on which day, on how many, and with whom."""

    participant: str
    day: date
    count: int
    first: Difference


async def was_sent(ledger: Ledger, participant: str, day: date) -> bool:
    """Say whether the hub has taken in this manifest for delivery."""
    here = (*_here(participant, day), manifests.c.sent_at.is_not(None))
    async with ledger.reading() as connection:
        return (await connection.execute(select(manifests.c.day).where(*here))).first() is not None


async def kept(ledger: Ledger, participant: str, day: date) -> bytes | None:
    """Give the signed bytes of a manifest that was made and is not confirmed yet, or None."""
    async with ledger.reading() as connection:
        row = (await connection.execute(select(manifests.c.body).where(*_here(participant, day)))).first()
    return row.body if row else None


async def keep(ledger: Ledger, participant: str, day: date, *, body: bytes, digest: bytes, at: datetime) -> bytes:
    """Store a manifest before it is sent, and give the bytes to send: those of whoever stored one first."""
    row = {"participant": participant, "day": day.isoformat(), "digest": digest, "body": body, "made_at": at}
    async with ledger.writing() as connection:
        known = (await connection.execute(select(manifests.c.body).where(*_here(participant, day)))).first()
        if known is None:
            await connection.execute(insert(manifests).values(row))
    return body if known is None else known.body or body


async def note_sent(ledger: Ledger, participant: str, day: date, *, at: datetime) -> None:
    """Write down that the hub has confirmed a manifest; its bytes are not needed any more."""
    here = (*_here(participant, day), manifests.c.sent_at.is_(None))
    async with ledger.writing() as connection:
        await connection.execute(update(manifests).where(*here).values(sent_at=at, body=None))


async def note_answer(ledger: Ledger, answer: Reconciled, *, digest: bytes, at: datetime) -> bool:
    """Write down an answer, the first one a manifest; False if no such manifest was sent, or it was answered before."""
    unanswered = (manifests.c.digest == digest, manifests.c.answered_at.is_(None))
    here = (*_here(answer.participant, answer.day), *unanswered)
    found = json.dumps([each.model_dump(mode="json") for each in answer.differences])
    async with ledger.writing() as connection:
        done = await connection.execute(
            update(manifests).where(*here).values(answered_at=at, count=answer.count, differences=found)
        )
    return bool(done.rowcount)


async def standing(ledger: Ledger) -> tuple[Unreconciled, ...]:
    """Give whose last answer named differences: a later answer without any says that it is mended."""
    statement = select(manifests).where(manifests.c.answered_at.is_not(None)).order_by(manifests.c.day)
    async with ledger.reading() as connection:
        latest = {row["participant"]: row for row in (await connection.execute(statement)).mappings()}
    return tuple(
        Unreconciled(name, date.fromisoformat(row["day"]), row["count"], _first(row["differences"]))
        for name, row in sorted(latest.items())
        if row["count"]
    )


def _here(participant: str, day: date) -> tuple[ColumnElement[bool], ...]:
    return manifests.c.participant == participant, manifests.c.day == day.isoformat()


def _first(differences: str) -> Difference:
    return Difference.model_validate_json(json.dumps(json.loads(differences)[0]))
