"""Says beforehand who would be told: the duty file read, its secrets found, and, if wished, every way tried.

It guarantees: nobody is told anything by it; what is wrong with a way is named by its fault and not by its address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from broker.alerts.desks import Desk, Duty, Route
from broker.alerts.duty_file import read_duty_file
from broker.alerts.escalation import Case, Tell, decide
from broker.alerts.kinds import AlertKind, Urgency
from broker.alerts.notify import NotifyCarrier
from broker.alerts.opening import ACKNOWLEDGE, canary_of, carriers_of
from broker.alerts.routing import Carriers, NotTold, bounded
from broker.alerts.secrets import Secrets
from broker.alerts.ways import WayName, ways_of
from broker.calendars import Calendars


@dataclass(frozen=True)
class Checked:
    """One desk: who would be told of an urgent alert, empty if nobody, and which of its ways failed and how."""

    desk: str
    rung: str
    posts: tuple[str, ...]
    faults: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Say whether somebody would be told and no way is known to fail."""
        return bool(self.rung) and not self.faults

    def plain(self) -> dict[str, Any]:
        """Give it for JSON."""
        return {"desk": self.desk, "rung": self.rung, "posts": list(self.posts), "faults": list(self.faults)}

    def sentence(self) -> str:
        """Say it in a line."""
        who = f"{self.rung} ({', '.join(self.posts)})" if self.posts else self.rung or "NOBODY"
        return f"{self.desk}: {who}" + "".join(f"; FAILS: {fault}" for fault in self.faults)


async def check_duty(
    path: Path, *, secrets: Secrets, calendars: Calendars, now: datetime, try_ways: bool = False
) -> tuple[Checked, ...]:
    """Check every desk, in the order of the file. Raises `DutyFileUnreadable` and `SecretMissing`."""
    found = read_duty_file(path, calendars=calendars)
    secrets.signing_keys(ACKNOWLEDGE)
    carriers = carriers_of(found.settings, secrets=secrets, clock=lambda: now)
    canary_of(found.settings, carriers, secrets=secrets)
    try:
        faults = await _tried(found.duty, carriers) if try_ways else {}
    finally:
        for carrier in carriers.values():
            if isinstance(carrier, NotifyCarrier):
                carrier.close()
    return tuple(_checked(desk, found.duty, now, faults) for desk in found.duty.desks.values())


def _checked(desk: Desk, duty: Duty, now: datetime, faults: Mapping[WayName, str]) -> Checked:
    decision = decide(Case(AlertKind.UNREAD, Urgency.NOW, now), desk=desk, duty=duty, now=now)
    own = tuple(
        f"{name.rung} {name.post} {name.way.value}: {what}" for name, what in faults.items() if name.desk == desk.name
    )
    if not isinstance(decision, Tell):
        return Checked(desk.name, "", (), own)
    return Checked(desk.name, decision.rung, tuple(post.name for post in decision.posts), own)


async def _tried(duty: Duty, carriers: Carriers) -> dict[WayName, str]:
    """Try every way, one after the other: this is no race."""
    return {name: fault for name, route in ways_of(duty) if (fault := await _fault_of(name, route, carriers))}


async def _fault_of(name: WayName, route: Route, carriers: Carriers) -> str:
    carrier = carriers[name.way]
    try:
        await bounded(lambda: carrier.probe(route), limit=carrier.limit)
    except NotTold as failed:
        return failed.fault.value
    return ""
