"""The time that the watch goes by: the wall clock, unless it was moved; then the steady one, and an alert says so."""

from collections.abc import Callable
from datetime import datetime

from broker.timers import ClockTrust, Reading, judge, read_clocks


class TrustedClock:
    """Tells the time. `stepped` is true while the machine's clock is not believed (`broker.timers.trust`)."""

    def __init__(self, clocks: Callable[[], Reading] = read_clocks, *, floor: datetime | None = None) -> None:
        self._clocks = clocks
        self._trust = ClockTrust.begin(clocks(), floor=floor)
        self.stepped = False

    def __call__(self) -> datetime:
        """Give the time to go by, in UTC."""
        self._trust, now, step = judge(self._trust, self._clocks())
        if step is not None:
            self.stepped = not step.over
        return now
