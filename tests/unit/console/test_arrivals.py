"""The answers of an enquiry, in the order in which they came, whatever their places in the store are called."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.kit.store.documents import Document
from adapters.la.console.arrivals import KIND, arrivals
from adapters.la.console.arrived import Arrived
from tests.unit.console.office import LATE, ON_TIME, answered, item

REFERENCE = "ENQ-2026-000431"


class Shelf:
    """A store's documents, given by key as a store gives them."""

    def __init__(self, kept: Sequence[tuple[str, Arrived]]) -> None:
        self._kept = sorted(kept)

    async def list(self, kind: str) -> list[Document]:
        assert kind == KIND
        return [Document(kind, key, 1, one.canonical_bytes()) for key, one in self._kept]


def part(number: int, *, at: datetime) -> Arrived:
    return answered("testford-health", item(f"item-{number}"), at=at, part=number)


async def order(*kept: tuple[str, Arrived]) -> list[str]:
    found = await arrivals(Shelf(kept), REFERENCE)  # type: ignore[arg-type]  # of a transaction only `list` is asked
    return [one.response.items[0].item for one in found]


async def test_answers_are_given_in_the_order_of_arrival_although_their_places_sort_the_other_way() -> None:
    """A place ends in the message's id, which is random: the first answer must not be read as the last word."""
    kept = [
        (f"{REFERENCE}/rfi-1/c", part(1, at=ON_TIME)),
        (f"{REFERENCE}/rfi-1/b", part(2, at=ON_TIME + timedelta(minutes=1))),
        (f"{REFERENCE}/rfi-1/a", part(3, at=LATE)),
    ]
    assert await order(*kept) == ["item-1", "item-2", "item-3"]


async def test_two_parts_that_came_in_one_moment_are_given_by_their_numbers() -> None:
    """One transaction takes in what waited together, and gives all of it one time."""
    kept = [(f"{REFERENCE}/rfi-1/b", part(1, at=LATE)), (f"{REFERENCE}/rfi-1/a", part(2, at=LATE))]
    assert await order(*kept) == ["item-1", "item-2"]


async def test_the_answers_of_an_enquiry_whose_reference_begins_alike_are_not_among_them() -> None:
    """The danger: what was said of one family under another one's name."""
    kept = [(f"{REFERENCE}/rfi-1/a", part(1, at=LATE)), (f"{REFERENCE}1/rfi-1/a", part(2, at=LATE))]
    assert await order(*kept) == ["item-1"]
