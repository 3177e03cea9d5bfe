"""Passing over, cheaply, the many held persons who cannot match anybody of a request, before evidence is weighed.

Guarantees that nobody is passed over who would match at least possibly under the standing thresholds: what remains
without a near surname, date of birth, number or address is a forename and a sex, which together weigh too little. A
property test holds this against `match`. Where the request has an estimated age, or the held person stands in a
child's file, nobody is passed over.
"""

from collections.abc import Iterable
from datetime import date

from adapters.kit.lookup.holdings import HeldPerson
from adapters.kit.lookup.identifiers import canonical
from adapters.kit.lookup.names import alike_addresses, alike_surnames, parse_name
from schemas.content.person import Person

_NEAR = ("same", "similar")
_Parts = frozenset[tuple[str, int, int]]


class Block:
    """What the persons of one request have that a held person must come near to, in one thing at least."""

    def __init__(self, persons: Iterable[Person]) -> None:
        asked = tuple(persons)
        names = [name for person in asked for name in (person.name, *person.aliases) if name]
        self._surnames = frozenset(parse_name(name).surname for name in names)
        self._addresses = frozenset(person.address for person in asked if person.address)
        self._dates: _Parts = frozenset(part for person in asked if person.dob for part in _parts(person.dob))
        self._numbers = frozenset(canonical(one) for person in asked for one in person.identifiers.values())
        self._open = any(person.estimated_age is not None for person in asked)
        # One answer a surname: a register of many thousands has few thousand surnames.
        self._near_surnames: dict[str, bool] = {}

    def lets_through(self, held: HeldPerson) -> bool:
        """Say whether `held` may match somebody, and so must be compared."""
        return (
            self._open
            or bool(held.family_of)
            or (held.dob is not None and not self._dates.isdisjoint(_parts(held.dob)))
            or any(canonical(number) in self._numbers for number in held.identifiers.values())
            or any(self._near_surname(parse_name(name).surname) for name in held.names)
            or any(alike_addresses(here, there) in _NEAR for here in self._addresses for there in held.addresses)
        )

    def _near_surname(self, surname: str) -> bool:
        known = self._near_surnames.get(surname)
        if known is None:
            known = any(alike_surnames(asked, surname) in _NEAR for asked in self._surnames)
            self._near_surnames[surname] = known
        return known


def _parts(day: date) -> _Parts:
    """Give the pairs of parts of a date of which one must agree for two dates to be near, the swapped day included."""
    pairs = {("ym", day.year, day.month), ("yd", day.year, day.day), ("md", day.month, day.day)}
    swapped = ("ydm", day.year, min(day.month, day.day) * 100 + max(day.month, day.day))
    return frozenset((*pairs, swapped))
