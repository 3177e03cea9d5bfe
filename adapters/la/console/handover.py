"""Who is given which items: the one gate through which everything leaves the collation. Pure.

Rules, the strictest first, each an obstacle that names itself:
- a classification that is unknown or too high is given to nobody (DIS-16);
- what is sealed, or listed for the decision maker alone, is given to the decision maker alone (DIS-02);
- intelligence goes to the decision maker alone, whatever its list says (disclosure rules §3.4);
- everybody outside the MASH is given only what the originator's list names them for (DIS-08, DIS-09; SEF §2.6);
- what lists nobody may be read on the MASH's screen and is taken away by nobody.
Receiving is not permission to pass on: what is handed over is narrowed to its receiver, so that audiences only shrink
through any number of hops (design, "Never" 3). No setting of an agreement widens a list.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Literal

from pydantic import AwareDatetime

from adapters.la.console.collation import CollatedItem, Collation
from adapters.la.console.register import UseAfterMash
from adapters.la.console.wording import Left
from schemas.content.base import Content
from schemas.content.codes import Audience
from schemas.content.marking import MOST_RESTRICTIVE_CARRIED, highest_classification

CARRIED: Final = frozenset(("OFFICIAL", MOST_RESTRICTIVE_CARRIED))
SERVICES: Final = frozenset(
    (Audience.RECEIVING_SERVICE, Audience.ASSESSING_SOCIAL_WORKER, Audience.EARLY_HELP, Audience.POLICE)
)

Reader = Literal[Audience.MASH_TEAM, Audience.DECISION_MAKER]


class Selection(Content):
    """What one reader is given, and for the coordinator's eyes how much was left out and why."""

    audience: Audience
    items: tuple[CollatedItem, ...]
    left_out: dict[Left, int]

    @property
    def classification(self) -> str:
        """The marking that governs the whole: the highest of any item (DIS-15)."""
        return highest_classification(one.item.marking.gsc for one in self.items)


class Concerns(Content):
    """The concerns of the initial referral, with their own list of audiences; an empty one means nobody (DIS-13)."""

    wording: str
    onward: tuple[str, ...] = ()


class HandoverPack(Content):
    """What goes to a service outside the MASH. It says nothing of what was left out, nor that anything was."""

    form: Literal["mash.handover.v1"] = "mash.handover.v1"
    enquiry: str
    audience: Audience
    made_at: AwareDatetime
    made_by: str
    classification: str
    use_after_mash: UseAfterMash
    concerns: str | None
    outcome: str | None
    items: tuple[CollatedItem, ...]
    persons: dict[str, str]


class NotAService(ValueError):
    """A handover pack goes to a service outside the MASH; for the referrer or the family write a letter."""


def items_for(collation: Collation, audience: str) -> tuple[CollatedItem, ...]:
    """Give the items that `audience` may take away; an unknown audience gets none."""
    return takeaway(collation, Audience(audience)).items if audience in set(Audience) else ()


def takeaway(collation: Collation, audience: Audience) -> Selection:
    """Select what `audience` may be given on paper or in a file."""
    return _select(collation, audience, lambda one: obstacle(one, audience) or _nobody_listed(one))


def on_screen(collation: Collation, reader: Reader) -> Selection:
    """Select what somebody in the MASH may read on the screen, items that list nobody included (DIS-10)."""
    return _select(collation, reader, lambda one: obstacle(one, reader))


def obstacle(one: CollatedItem, audience: Audience) -> Left | None:
    """Give the first rule that keeps the item from `audience`, or None where none does."""
    marking = one.item.marking
    if marking.gsc not in CARRIED:
        return Left.CLASSIFICATION
    if audience is Audience.DECISION_MAKER:
        return None
    if one.sealed:
        return Left.SEALED
    if marking.nature == "intelligence" or marking.grading is not None:
        return Left.INTELLIGENCE
    if set(marking.onward) == {Audience.DECISION_MAKER}:
        return Left.DECISION_MAKER_ONLY
    if audience is Audience.MASH_TEAM or marking.permits(audience):
        return None
    return Left.AUDIENCE_NOT_LISTED


def narrowed(items: Iterable[CollatedItem], *, to: Audience, through: str) -> tuple[CollatedItem, ...]:
    """Give the items as the receiver gets them: their audiences cut down to the receiver itself."""
    return tuple(
        one.model_copy(
            update={
                "item": one.item.model_copy(update={"marking": one.item.marking.narrowed(to=(to,), through=through)})
            }
        )
        for one in items
    )


def persons_in(items: Iterable[CollatedItem], collation: Collation) -> dict[str, str]:
    """Give the names of those whom the items are about, and of nobody else in the enquiry."""
    subjects = {key for one in items for key in one.item.subjects}
    return {key: name for key, name in collation.persons.items() if key in subjects}


def handover_pack(
    collation: Collation,
    *,
    audience: Audience,
    made_by: str,
    made_at: AwareDatetime,
    through: str,
    use_after_mash: UseAfterMash = UseAfterMash.MASH_ONLY,
    concerns: Concerns | None = None,
) -> HandoverPack:
    """Make the pack for one service; `through` is the participant that hands it over. Raises `NotAService`.

    `use_after_mash` only says what the receiver may do with the pack; it adds no item (overview, decision 3).
    """
    if audience not in SERVICES:
        raise NotAService(audience)
    selection = takeaway(collation, audience)
    told = concerns.wording if concerns and audience in concerns.onward else None
    return HandoverPack(
        enquiry=collation.enquiry,
        audience=audience,
        made_at=made_at,
        made_by=made_by,
        classification=highest_classification(
            (selection.classification, *((MOST_RESTRICTIVE_CARRIED,) if told else ()))
        ),
        use_after_mash=use_after_mash,
        concerns=told,
        outcome=collation.decided.outcome if collation.decided else None,
        items=narrowed(selection.items, to=audience, through=through),
        persons=persons_in(selection.items, collation),
    )


def warnings_before(audience: Audience, *, family_told: bool) -> tuple[str, ...]:
    """Give what a coordinator is warned of before a pack goes; a warning does not stop it (DIS-12)."""
    if audience is Audience.EARLY_HELP and not family_told:
        return ("DIS-12: it is not recorded that the family was told that information may go to early help",)
    return ()


def _nobody_listed(one: CollatedItem) -> Left | None:
    return None if one.item.marking.onward else Left.NOBODY_LISTED


def _select(collation: Collation, audience: Audience, keeps_back: Callable[[CollatedItem], Left | None]) -> Selection:
    judged = [(one, keeps_back(one)) for one in collation.items]
    return Selection(
        audience=audience,
        items=tuple(one for one, left in judged if left is None),
        left_out=dict(Counter(left for _, left in judged if left is not None)),
    )
