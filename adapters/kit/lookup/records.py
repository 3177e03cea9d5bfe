"""What an agency's own records must be able to say, and how the kit may use the answer.

Guarantees: a person who was looked for has a trace, always; an answer says what could *not* be read beside what could;
and where anything at all could not be read, nobody is reported as "no trace" (issue: bad input).
Refuses to know: any single agency's format. Each `adapters/<kind>/records.py` offers
`open_records(location) -> Records`, and the look-up itself is pure once the records are in memory (`holdings.py`).
Still to be checked by the caller: that `may_answer` allows it, before anything is proposed or sent.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from adapters.kit.lookup.holdings import Holdings
from adapters.kit.lookup.matching import DEFAULT_POLICY, MatchingPolicy
from adapters.kit.lookup.selection import select
from adapters.kit.lookup.trace import Trace
from adapters.kit.lookup.unread import Unread
from schemas.content.record import Record
from schemas.content.response import TraceStatus
from schemas.content.rfi import RequestForInformation

__all__ = ["LoadedRecords", "Lookup", "Records", "RecordsUnavailableError", "Trace", "TraceStatus", "Unread"]


class RecordsUnavailableError(RuntimeError):
    """The agency's own system could not be reached. Nothing was looked up; try again when it is back."""


@dataclass(frozen=True)
class Lookup:
    """What one look-up found: records by order of the source, a trace for every person, and what was unreadable.

    `records` carry `record_id`, `source` (file and row), `match` and `answers`; their subjects are keys of the
    request's persons or `other:LABEL`. `sources` says which of the agency's sources were read (FAN-02).
    """

    records: tuple[Record, ...] = field(repr=False)
    traces: Mapping[str, Trace]
    unread: tuple[Unread, ...]
    sources: frozenset[str]

    @property
    def complete(self) -> bool:
        """Say whether everything that was looked into could be read."""
        return not self.unread

    def may_answer(self, *, accepted: bool) -> bool:
        """Say whether an answer may be made: at once if all was read, else only if a named person accepts the gaps."""
        return self.complete or accepted


class Records(Protocol):
    """An agency's own records. Synchronous on purpose: the kit calls it in a thread."""

    @property
    def sources(self) -> frozenset[str]:
        """Name the sources that can be asked one by one; most agencies have one, health has several."""
        ...

    def lookup(self, request: RequestForInformation, *, as_of: datetime, sources: Set[str] | None = None) -> Lookup:
        """Look for every person of `request` in the named `sources`, or in all of them when none is named.

        Raises `RecordsUnavailableError` if the agency's system cannot be reached (the world's fault: retry), and
        `ValueError` for a source that does not exist.
        """
        ...


@dataclass(frozen=True)
class LoadedRecords:
    """Records whose reader loads what it holds into memory, source by source; matching and selecting are common."""

    readers: Mapping[str, Callable[[RequestForInformation, datetime], Holdings]]
    policy: MatchingPolicy = DEFAULT_POLICY

    @property
    def sources(self) -> frozenset[str]:
        """Name the sources, one for each reader."""
        return frozenset(self.readers)

    def lookup(self, request: RequestForInformation, *, as_of: datetime, sources: Set[str] | None = None) -> Lookup:
        """Read the named sources and select from each on its own: a reference is unique within one source only."""
        wanted = self.sources if sources is None else frozenset(sources)
        if unknown := wanted - self.sources:
            raise ValueError(f"no such source: {', '.join(sorted(unknown))}")
        held, down = self._read(wanted, request=request, as_of=as_of)
        found = [select(request, holdings, policy=self.policy) for holdings in held]
        unread = (*down, *(gap for one in found for gap in one.unread))
        traces = {key: _best([one.traces[key] for one in found]) for key in request.persons}
        return Lookup(
            records=tuple(record for one in found for record in one.records),
            traces={key: _unless_unread(trace, unread) for key, trace in traces.items()},
            unread=unread,
            sources=wanted,
        )

    def _read(
        self, wanted: frozenset[str], *, request: RequestForInformation, as_of: datetime
    ) -> tuple[list[Holdings], tuple[Unread, ...]]:
        """Read the sources one by one; one that is down is a gap as long as another can be reached."""
        held: list[Holdings] = []
        down: list[Unread] = []
        for name in sorted(wanted):
            try:
                held.append(self.readers[name](request, as_of))
            except RecordsUnavailableError:
                down.append(Unread(name, None, None, "the source could not be reached", "try again when it is back"))
        if down and not held:
            raise RecordsUnavailableError("none of the sources could be reached")
        return held, tuple(down)


_WEAK_TO_STRONG = (TraceStatus.NO_TRACE, TraceStatus.UNKNOWN, TraceStatus.POSSIBLE_MATCH, TraceStatus.TRACE)


def _best(traces: list[Trace]) -> Trace:
    # Asked nowhere is not "not there": without a source the trace is unknown.
    nowhere = Trace(TraceStatus.UNKNOWN)
    return max(traces, key=lambda trace: (_WEAK_TO_STRONG.index(trace.status), trace.score), default=nowhere)


def _unless_unread(trace: Trace, unread: tuple[Unread, ...]) -> Trace:
    if unread and trace.status is TraceStatus.NO_TRACE:
        return replace(trace, status=TraceStatus.UNKNOWN)
    return trace
