"""Alarms as rows: raised in the transaction that found the cause, sent to a channel later under the same id.

Guarantees: the same alarm id is raised once, so whatever repeats after a crash does not alarm twice; sending may repeat
(C41), and carries the id by which the channel tells. `refs` are references without personal data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import alert


class Priority(StrEnum):
    """P1: someone acts now. P2: someone looks today."""

    P1 = "P1"
    P2 = "P2"


@dataclass(frozen=True)
class Alarm:
    """One alarm: `alarm_id` names the cause and is stable, `code` is from a closed list of the raiser."""

    alarm_id: str
    at: datetime
    priority: Priority
    code: str
    refs: Mapping[str, str]


async def raise_once(
    session: Session, alarm_id: str, *, priority: Priority, code: str, refs: Mapping[str, str]
) -> bool:
    """Raise an alarm unless this id was raised before; returns whether it is new."""
    if await session.find(alert, alert.c.alert_id == alarm_id) is not None:
        return False
    told = json.dumps(dict(sorted(refs.items())), separators=(",", ":"))
    values = {"alert_id": alarm_id, "at": session.now, "priority": priority.value, "code": code, "refs": told}
    await session.insert(alert, values)
    return True


async def unsent(session: Session) -> list[Alarm]:
    """Return alarms that no channel has taken yet, the oldest first."""
    rows = await session.select(alert, select(alert).where(alert.c.sent_at.is_(None)).order_by(alert.c.at))
    return [_alarm(row) for row in rows]


async def standing(session: Session) -> list[Alarm]:
    """Return alarms that nobody has cleared, the oldest first."""
    rows = await session.select(alert, select(alert).where(alert.c.cleared_at.is_(None)).order_by(alert.c.at))
    return [_alarm(row) for row in rows]


async def mark(session: Session, alarm_id: str, *, cleared: bool = False) -> None:
    """Note that an alarm was sent, or cleared; an unknown id changes nothing."""
    row = await session.find(alert, alert.c.alert_id == alarm_id)
    if row is not None:
        await session.change(alert, row, **{"cleared_at" if cleared else "sent_at": session.now})


def _alarm(row: Row) -> Alarm:
    return Alarm(row["alert_id"], row["at"], Priority(row["priority"]), row["code"], json.loads(row["refs"]))
