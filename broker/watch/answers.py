"""Which answers are new since the last round: each is counted in the figures once, and none again on a restart."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from broker.watch.standing import Standing


@dataclass(frozen=True)
class Answer:
    """One answer: who gave it, to what rating, and how long it took in elapsed seconds."""

    participant: str
    rag: str
    seconds: float


class Answers:
    """Remembers which answers have been counted; those given before `since` were, by the process before this one."""

    def __init__(self, *, since: datetime) -> None:
        self._since = since
        self._counted: frozenset[tuple[str, str, str]] = frozenset()

    def new(self, standings: Iterable[Standing]) -> Iterator[Answer]:
        """Give the answers that have not been counted yet."""
        answered = {
            (one.reference, one.requester, one.responder): one
            for one in standings
            if one.answered_at is not None and one.answered_at >= self._since
        }
        fresh = [one for key, one in answered.items() if key not in self._counted]
        self._counted = frozenset(answered)
        for one in fresh:
            assert one.answered_at is not None, "filtered above"  # noqa: S101 - for the type checker
            yield Answer(one.responder, one.rating.value, (one.answered_at - one.issued_at).total_seconds())
