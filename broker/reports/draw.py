"""A stratified sample that anybody can draw again: from a list, a size and a seed, by SHA-256 and nothing else. Pure.

It guarantees: the same list, size and seed give the same sample on every machine; every stratum is in it, and beyond
that each in proportion to how many it holds (Sainte-Laguë).
Strata are agency, rating and outcome; where that makes more strata than the sample has places, rating is left out, then
outcome, then agency.
The limit: whoever may choose the seed after seeing the list may choose the sample. The inspector names the seed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """One request of the month that a sample is drawn from."""

    reference: str
    requester: str
    agency: str
    rating: str
    outcome: str


@dataclass(frozen=True)
class Stratum:
    """One part of the list: what its requests have in common, how many there are, how many were drawn."""

    of: tuple[str, ...]
    holds: int
    drawn: int


@dataclass(frozen=True)
class Draw:
    """A sample: the names by which the list was parted, the parts, and who was drawn, in the order of the list."""

    parted_by: tuple[str, ...]
    strata: tuple[Stratum, ...]
    chosen: tuple[Unit, ...]


PARTINGS: Final[Sequence[tuple[str, ...]]] = (
    ("agency", "rating", "outcome"),
    ("agency", "outcome"),
    ("agency",),
    (),
)


def draw(units: Iterable[Unit], *, size: int, seed: str) -> Draw:
    """Draw up to `size` of `units`. Raises `ValueError` for a sample of nothing."""
    if size < 1:
        raise ValueError("a sample has at least one request in it")
    listed = sorted(set(units))
    parted_by, key = _parting(listed, size)
    holds = Counter(map(key, listed))
    places = _places(holds, min(size, len(listed)))
    drawn: list[Unit] = []
    for part in places:
        ranked = sorted((unit for unit in listed if key(unit) == part), key=lambda unit: _rank(unit, seed))
        drawn += ranked[: places[part]]
    strata = tuple(Stratum(part, holds[part], places[part]) for part in sorted(holds))
    return Draw(parted_by, strata, tuple(sorted(drawn)))


Part = tuple[str, ...]


def _parting(listed: Sequence[Unit], size: int) -> tuple[tuple[str, ...], Callable[[Unit], Part]]:
    """Choose the finest parting that leaves a place for each part."""
    for names in PARTINGS:
        places = [Unit._fields.index(name) for name in names]
        if len({tuple(unit[place] for place in places) for unit in listed}) <= size:
            break
    return names, lambda unit: tuple(unit[place] for place in places)


def _places(holds: Mapping[Part, int], size: int) -> dict[Part, int]:
    """Give each part one place, then each further place to the part that is furthest below its share."""
    places = dict.fromkeys(sorted(holds), 1)
    while sum(places.values()) < size:
        open_parts = [part for part in places if places[part] < holds[part]]
        neediest = max(open_parts, key=lambda part: Fraction(holds[part], 2 * places[part] + 1))
        places[neediest] += 1
    return places


def _rank(unit: Unit, seed: str) -> bytes:
    """Rank a unit: SHA-256 over the seed, its reference, who asked and who was asked, a line each."""
    return sha256("\n".join((seed, unit.reference, unit.requester, unit.agency)).encode()).digest()
