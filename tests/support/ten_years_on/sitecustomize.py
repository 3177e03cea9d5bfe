"""Sets the clock of a program ten years ahead: put this folder on PYTHONPATH of the program that a test starts.

`datetime.now` and `time.time` are all that the product reads; the certificates and keys it meets are not touched.
"""

import datetime
import time

AHEAD = 3_653 * 86_400
_time = time.time


class _Later(datetime.datetime):
    __slots__ = ()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "_Later":
        """Ten years on."""
        return cls.fromtimestamp(_time() + AHEAD, tz)

    @classmethod
    def utcnow(cls) -> "_Later":
        """Ten years on, for who still asks so."""
        return cls.fromtimestamp(_time() + AHEAD, datetime.UTC).replace(tzinfo=None)


datetime.datetime = _Later  # type: ignore[misc]  # every module that is imported from now on sees this class
time.time = lambda: _time() + AHEAD
