"""Choosing, from all that a source holds, the records in which a person of the request stands, and saying how surely.

Pure. A record comes out if a person of the request is a subject of it, or is mentioned in it: whether it may leave is
for the disclosure rules, and a professional must be able to see it to say that somebody is missing from the request
(§3.6). A subject who is only possibly the person makes the whole record `possible`; somebody mentioned who is only
possibly the person stays a third party, which is the stricter reading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.kit.lookup.blocking import Block
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.match_weights import MatchingPolicy
from adapters.kit.lookup.matching import Certainty, Match, match, match_unborn
from adapters.kit.lookup.trace import Trace
from adapters.kit.lookup.unread import Unread
from schemas.content.record import Record
from schemas.content.response import TraceStatus
from schemas.content.rfi import RequestForInformation

_STATUS = {
    Certainty.NONE: TraceStatus.NO_TRACE,
    Certainty.POSSIBLE: TraceStatus.POSSIBLE_MATCH,
    Certainty.CONFIRMED: TraceStatus.TRACE,
}
_WEAK_TO_STRONG = tuple(_STATUS)

Links = Mapping[str, Mapping[str, Match]]
"""Held reference -> person key -> match, for matches that are at least possible."""


@dataclass(frozen=True)
class Selected:
    """What one source has on the persons of a request."""

    records: tuple[Record, ...]
    traces: Mapping[str, Trace]
    unread: tuple[Unread, ...]


def select(request: RequestForInformation, holdings: Holdings, *, policy: MatchingPolicy) -> Selected:
    """Match every person of `request` against the held persons, and bring out the records they stand in."""
    links = _born(request, holdings.persons, policy=policy, children=frozenset())
    relatives = [held for held in holdings.persons if held.family_of]
    links |= _born(request, relatives, policy=policy, children=_confirmed_children(request, links))
    links |= _unborn(request, holdings.persons, links=links, policy=policy)
    labels = {person.ref: f"other:{person.label}" for person in holdings.persons}
    records = tuple(_record(held, links=links, labels=labels) for held in holdings.records if _concerns(held, links))
    return Selected(records, _traces(request, links), holdings.unread)


def _born(
    request: RequestForInformation,
    persons: Iterable[HeldPerson],
    *,
    policy: MatchingPolicy,
    children: frozenset[str],
) -> dict[str, Mapping[str, Match]]:
    links: dict[str, Mapping[str, Match]] = {}
    on = request.issued_at.date()
    block = Block(request.persons.values())
    for held in filter(block.lets_through, persons):
        family = not children.isdisjoint(held.family_of)
        found = {
            key: match(asked, held, on=on, family=family and not asked.is_child, policy=policy)
            for key, asked in request.persons.items()
        }
        if likely := _likeliest(found, policy):
            links[held.ref] = likely
    return links


def _confirmed_children(request: RequestForInformation, links: Links) -> frozenset[str]:
    return frozenset(
        ref
        for ref, found in links.items()
        if any(request.persons[key].is_child and one.certainty is Certainty.CONFIRMED for key, one in found.items())
    )


def _likeliest(found: Mapping[str, Match], policy: MatchingPolicy) -> dict[str, Match]:
    likely = {key: one for key, one in found.items() if one.certainty is not Certainty.NONE}
    best = max((one.score for one in likely.values()), default=0.0)
    near = {key: one for key, one in likely.items() if one.score > best - policy.tie}
    if len(near) == 1:
        return near
    # Two persons of the request fit about as well (twins; an address without a name): a person has to say which.
    return {
        key: Match(Certainty.POSSIBLE, one.score, one.levels, "fits more than one person of the request")
        for key, one in near.items()
    }


def _unborn(
    request: RequestForInformation, persons: tuple[HeldPerson, ...], *, links: Links, policy: MatchingPolicy
) -> dict[str, Mapping[str, Match]]:
    found: dict[str, Mapping[str, Match]] = {}
    for held in (held for held in persons if held.edd is not None):
        for key, asked in request.persons.items():
            mother = links.get(held.mother_ref or "", {}).get(asked.mother or "")
            one = match_unborn(asked, held, mother=mother, policy=policy)
            if one.certainty is not Certainty.NONE:
                found[held.ref] = {key: one}
    return found


def _concerns(held: HeldRecord, links: Links) -> bool:
    return any(ref in links for ref in (*held.subjects, *held.mentions))


def _record(held: HeldRecord, *, links: Links, labels: Mapping[str, str]) -> Record:
    subjects: list[str] = []
    certain = True
    for ref in held.subjects:
        found = links.get(ref, {})
        subjects += found or [labels[ref]]
        certain = certain and all(one.certainty is Certainty.CONFIRMED for one in found.values())
    mentions = [key for ref in held.mentions for key in _mentioned(ref, links=links, labels=labels)]
    return Record.from_plain(
        {
            **held.fields,
            "record_id": held.record_id,
            "source": held.source,
            "subjects": _once(subjects),
            "mentions": [key for key in _once(mentions) if key not in subjects],
            "match": "confirmed" if certain else "possible",
        }
    )


def _mentioned(ref: str, *, links: Links, labels: Mapping[str, str]) -> list[str]:
    sure = [key for key, one in links.get(ref, {}).items() if one.certainty is Certainty.CONFIRMED]
    return sure or [labels[ref]]


def _once(keys: list[str]) -> list[str]:
    return list(dict.fromkeys(keys))


def _traces(request: RequestForInformation, links: Links) -> dict[str, Trace]:
    traces = {}
    for key in request.persons:
        found = [matches[key] for matches in links.values() if key in matches]
        best = max(found, key=lambda one: (_WEAK_TO_STRONG.index(one.certainty), one.score), default=None)
        traces[key] = _trace(best)
    return traces


def _trace(best: Match | None) -> Trace:
    if best is None:
        return Trace(TraceStatus.NO_TRACE)
    return Trace(_STATUS[best.certainty], round(best.score, 2), best.agreed, best.disagreed, best.held_back)
