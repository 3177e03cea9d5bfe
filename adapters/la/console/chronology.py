"""The items of several agencies as one story, in the order in which things happened. Pure.

Urgent content stands on top, and where it belongs in time only a line points to it. What its originator asked not to
copy into a chronology is kept apart (`no_chronology_copy`). A day that nobody stated is not guessed: such items follow
at the end.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from adapters.la.console.collation import CollatedItem
from schemas.content.base import Content
from schemas.content.codes import Alert, Condition


class Chronology(Content):
    """Three lists; an item stands in full in exactly one of them. `dated` repeats urgent items as pointers."""

    urgent: tuple[CollatedItem, ...]
    dated: tuple[CollatedItem, ...]
    apart: tuple[CollatedItem, ...]


def chronology(items: Iterable[CollatedItem]) -> Chronology:
    """Sort the items by day, undated ones last, those of one day by arrival."""
    ordered = sorted(items, key=lambda one: (when(one) is None, when(one) or date.min, one.arrived_at, one.item.item))
    return Chronology(
        urgent=tuple(one for one in ordered if is_urgent(one)),
        dated=tuple(one for one in ordered if not _kept_apart(one)),
        apart=tuple(one for one in ordered if _kept_apart(one) and not is_urgent(one)),
    )


def when(one: CollatedItem) -> date | None:
    """Give the day on which it happened, else the day on which it was written down, else None."""
    return one.item.event_on or one.item.recorded_on


def is_urgent(one: CollatedItem) -> bool:
    """Say whether the item has to be read at once (§3.11)."""
    return Alert.URGENT_CONTENT in one.item.alerts


def common_conditions(items: Sequence[CollatedItem]) -> tuple[str, ...]:
    """Give the conditions that bind every one of several items, so that a screen may say them once."""
    if len(items) < 2:
        return ()
    shared = set.intersection(*(set(one.item.marking.conditions) for one in items))
    return tuple(condition for condition in items[0].item.marking.conditions if condition in shared)


def _kept_apart(one: CollatedItem) -> bool:
    return Condition.NO_CHRONOLOGY_COPY in one.item.marking.conditions
