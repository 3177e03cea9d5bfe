"""What an operator may set about the hub's connections, with the defaults that production uses.

Times are seconds. Tests make them short; nobody else should need to.
"""

from dataclasses import dataclass, field
from typing import Final

from broker.pace import GATHER
from schemas.routing import Lane


@dataclass(frozen=True)
class Backoff:
    """Pauses between attempts: `base` doubles up to `cap`, each drawn at random between half of it and all of it.

    The cap leaves room for connecting: a consumer is back within 15 s of the hub's return.
    """

    base: float = 0.5
    cap: float = 12.0

    def pause(self, failures: int, *, chance: float) -> float:
        """Compute the pause after `failures` failures in a row (from 1); `chance` is drawn from [0, 1)."""
        longest = min(self.cap, self.base * 2.0 ** min(failures - 1, 30))
        return longest * (0.5 + chance / 2)


@dataclass(frozen=True)
class TransportSettings:
    """The bounds of every wait on the hub.

    `publish_timeout` covers reaching a channel and the confirm. `canary_interval` is how often an idle consumer proves
    that it still receives; after `silence_limit` without any delivery, its connection is torn down and rebuilt: a cable
    that is cut without a word is noticed by that, within 15 s together with the rebuilding.
    `gather`: while messages of a lane keep coming, they are handed over together, at most so often; urgent ones never
    wait for company.
    `handler_timeout` stays below the broker's `consumer_timeout` (900 s).
    """

    connect_timeout: float = 10.0
    publish_timeout: float = 10.0
    close_timeout: float = 1.0
    handler_timeout: float = 300.0
    heartbeat: int = 5
    canary_interval: float = 3.0
    silence_limit: float = 8.0
    backoff: Backoff = Backoff()
    gather: dict[Lane, float] = field(
        default_factory=lambda: {Lane.URGENT: 0.0, Lane.ROUTINE: GATHER, Lane.RECEIPT: GATHER},
        hash=False,
    )
    prefetch: dict[Lane, int] = field(
        default_factory=lambda: {Lane.URGENT: 8, Lane.ROUTINE: 32, Lane.RECEIPT: 128},
        hash=False,
    )


TAP: Final = TransportSettings(gather={Lane.URGENT: 0.0, Lane.ROUTINE: 0.25, Lane.RECEIPT: 0.25})
"""The watch's own: no message waits for it and its picture is drawn once a second, so it may wait for more company."""
