"""How long delivery waits before it acts again, and what it lets go first: the meaning of the lanes for it.

Every bound is in one frozen table, none in the code that waits. Defaults are those of the delivery design; a test or
an agency gives others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from adapters.kit.store.turn import Precedence
from schemas.routing import Lane


def _by_lane(*, urgent: timedelta, routine: timedelta) -> Mapping[Lane, timedelta]:
    return MappingProxyType({Lane.URGENT: urgent, Lane.ROUTINE: routine, Lane.RECEIPT: routine})


@dataclass(frozen=True)
class DeliveryPolicy:
    """The bounds. `received_within`: from confirm to R1, then the same bytes again. `opened_within`: from R1 to R2."""

    received_within: Mapping[Lane, timedelta] = field(
        default_factory=lambda: _by_lane(urgent=timedelta(seconds=60), routine=timedelta(minutes=15))
    )
    opened_within: Mapping[Lane, timedelta] = field(
        default_factory=lambda: _by_lane(urgent=timedelta(minutes=10), routine=timedelta(hours=4))
    )
    longest_pause: Mapping[Lane, timedelta] = field(
        default_factory=lambda: _by_lane(urgent=timedelta(seconds=15), routine=timedelta(minutes=5))
    )
    first_pause: timedelta = timedelta(seconds=1)
    lease: timedelta = timedelta(seconds=60)
    silences_before_alarm: int = 2
    reseals: int = 1
    gap_alarm: timedelta = timedelta(minutes=15)
    poison_after: int = 3
    failures_before_parking: int = 5
    wait_for_cause: timedelta = timedelta(minutes=5)
    patience_with_database: timedelta = timedelta(minutes=2)
    ring_rows: int = 10_000
    ring_bytes: int = 100_000_000

    def silence(self, bound: timedelta, *, silences: int) -> timedelta:
        """Return how long to listen after `silences` in vain: the bound until the alarm, then doubling up to 16 times.

        A partner that is slow, or back after a day, must not be buried under repetitions (pitfalls: retry storms).
        """
        return bound * (1 << min(max(silences - self.silences_before_alarm + 1, 0), 4))

    def pause(self, lane: Lane, *, attempt: int) -> timedelta:
        """Return the pause after `attempt` (1, 2, …) failed: doubling from the first up to the lane's longest."""
        doubled: timedelta = self.first_pause * (1 << min(max(attempt - 1, 0), 20))
        return min(doubled, self.longest_pause[lane])


DEFAULT_POLICY = DeliveryPolicy()


def precedence(lane: Lane) -> Precedence:
    """Say before whom a transaction goes that stores what arrives, or sends what is due, in `lane`."""
    return Precedence.FIRST if lane is Lane.URGENT else Precedence.USUAL
