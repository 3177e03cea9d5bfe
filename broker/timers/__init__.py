"""Rows that fire once, when they are due: never early, never twice, soon after a sleep.

`wheel` keeps open rows in memory, `trust` judges what the clocks say, `scheduler` joins them at the event loop.
The truth about a row is its store: what fires here has been claimed there first.
"""

from broker.timers.scheduler import Scheduler, Trouble
from broker.timers.trust import ClockStep, ClockTrust, Reading, judge, read_clocks
from broker.timers.wheel import Row, Wheel

__all__ = ["ClockStep", "ClockTrust", "Reading", "Row", "Scheduler", "Trouble", "Wheel", "judge", "read_clocks"]
