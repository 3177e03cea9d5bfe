"""A human being says that an alert is seen: kept in the ledger's tables, and escalation ends.

It guarantees: the first acknowledgement stands, whoever comes later is told whose it was; an alert that is not there is
refused; an alert that is over may still be acknowledged. What is kept is a desk and a post, never a person.
A link in a mail is followed by scanners as well as by people: showing (`find_by_token`) changes nothing, and whoever
serves the page calls `acknowledge_by_token` for a POST only.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.alerts.book import Entry, entry_of
from broker.alerts.tokens import Claim, TokenRefusal, Tokens
from broker.ledger.ledger import Ledger
from broker.ledger.tables import acknowledgements, alerts

_POST: Final = re.compile(r"[a-z0-9][a-z0-9_./-]{0,39}")


class NotAcknowledged(StrEnum):
    """Why nothing was acknowledged."""

    NO_SUCH_ALERT = "no_such_alert"
    POST_UNFIT = "post_unfit"
    MALFORMED = TokenRefusal.MALFORMED.value
    FORGED = TokenRefusal.FORGED.value
    EXPIRED = TokenRefusal.EXPIRED.value


@dataclass(frozen=True)
class Acknowledgement:
    """Who said first that an alert is seen. `by` is a post (`contact_officer`, `control-room`), `is_first` just now."""

    alert: int
    desk: str
    by: str
    at: datetime
    is_first: bool = False


async def acknowledge(
    ledger: Ledger, alert: int, *, by: str, now: datetime, desk: str = ""
) -> Acknowledgement | NotAcknowledged:
    """Note that `by` has seen alert number `alert`. `desk` defaults to the participant whom the alert is about."""
    if _POST.fullmatch(by) is None:
        return NotAcknowledged.POST_UNFIT
    async with ledger.writing() as connection:
        found = (await connection.execute(select(alerts.c.participant).where(alerts.c.number == alert))).scalar()
        if found is None:
            return NotAcknowledged.NO_SUCH_ALERT
        existing = await _existing(connection, alert)
        if existing is not None:
            return existing
        row = {"alert": alert, "desk": desk or found, "by": by, "at": now}
        await connection.execute(insert(acknowledgements).values(row))
    return Acknowledgement(alert, desk or found, by, now, is_first=True)


async def acknowledge_by_token(
    ledger: Ledger, token: str, *, tokens: Tokens, now: datetime
) -> Acknowledgement | NotAcknowledged:
    """Acknowledge what a link names, as the post that the link was sent to. For a POST only: see the module."""
    claim = tokens.read(token, now=now)
    if isinstance(claim, TokenRefusal):
        return NotAcknowledged(claim.value)
    return await acknowledge(ledger, claim.alert, by=claim.post, now=now, desk=claim.desk)


@dataclass(frozen=True)
class Found:
    """What a link leads to: the alert, what the link claims, and the acknowledgement if there is one."""

    entry: Entry
    claim: Claim
    acknowledgement: Acknowledgement | None


async def find_by_token(ledger: Ledger, token: str, *, tokens: Tokens, now: datetime) -> Found | NotAcknowledged:
    """Show what a link names and change nothing."""
    claim = tokens.read(token, now=now)
    if isinstance(claim, TokenRefusal):
        return NotAcknowledged(claim.value)
    async with ledger.reading() as connection:
        row = (await connection.execute(select(alerts).where(alerts.c.number == claim.alert))).mappings().first()
        if row is None:
            return NotAcknowledged.NO_SUCH_ALERT
        return Found(entry_of(row), claim, await _existing(connection, claim.alert))


async def _existing(connection: AsyncConnection, alert: int) -> Acknowledgement | None:
    row = (await connection.execute(select(acknowledgements).where(acknowledgements.c.alert == alert))).first()
    return Acknowledgement(row.alert, row.desk, row.by, row.at) if row else None
