"""What time it is, when the machine's clock may have been moved: a pure judgement on two clocks.

The wall clock says when things are due and can be set; the steady clock only counts, through sleeps too, and cannot.
It guarantees: while they agree the wall clock is believed; when they part by more than `TOLERANCE` the steady one is,
so that a clock put forward a week fires nothing early and one put back a day leaves nothing late; the step is told
once, and told again when it is over.
A sleeping machine is no step: the steady clock sleeps with nobody.
The limit: at start there is nothing to compare with but `floor`, the latest time the store has seen; a clock that was
already put forward before the process began is believed.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=60)
"""What an ordinary time service may correct at once."""


@dataclass(frozen=True)
class Reading:
    """Both clocks at one moment: `wall` in UTC, `steady` in seconds from any beginning."""

    wall: datetime
    steady: float


@dataclass(frozen=True)
class ClockStep:
    """The wall clock was moved by `by` against the steady one; `over` when they agree again."""

    by: timedelta
    over: bool = False


@dataclass(frozen=True)
class ClockTrust:
    """When the clocks last agreed, and whether they have parted since."""

    agreed: Reading
    stepped: bool = False

    @classmethod
    def begin(cls, reading: Reading, *, floor: datetime | None = None) -> "ClockTrust":
        """Begin with the wall clock, or with `floor` when the wall clock is behind it by more than the tolerance."""
        if floor is not None and reading.wall < floor - TOLERANCE:
            return cls(Reading(floor, reading.steady))
        return cls(reading)


def judge(trust: ClockTrust, reading: Reading) -> tuple[ClockTrust, datetime, ClockStep | None]:
    """Give the new state, the time to go by, and a step when one has just begun or ended."""
    expected = trust.agreed.wall + timedelta(seconds=reading.steady - trust.agreed.steady)
    apart = reading.wall - expected
    if abs(apart) <= TOLERANCE:
        over = ClockStep(apart, over=True) if trust.stepped else None
        return ClockTrust(reading), reading.wall, over
    step = None if trust.stepped else ClockStep(apart)
    return replace(trust, stepped=True), expected, step


def read_clocks() -> Reading:
    """Read the machine's clocks; the steady one counts through suspension where the system has such a clock."""
    through_sleep = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Reading(datetime.now(UTC), time.clock_gettime(through_sleep))
