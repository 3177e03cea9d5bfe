"""What travels with every item: who may receive it next, under which conditions, whose it is and how it was obtained.

Audiences only shrink, through any number of hops: `narrowed` cannot add an audience or drop a condition (design,
"Never" 3). The one exception is `granted`, which stands for the originator's own signed word. An empty `onward` means
nobody.
"""

from collections.abc import Iterable
from typing import Final

from schemas.content.base import Content
from schemas.content.codes import CLASSIFICATIONS

MOST_RESTRICTIVE_CARRIED: Final = "OFFICIAL-SENSITIVE"


class Marking(Content):
    """The portion marking of one item.

    `originator` controls the information, `holder` answered with it; `chain` lists the participants through whose
    hands it came, oldest first. `handling_conditions` are the originator's own words, copied (§2). `grading` gives a
    police grading in words, never as a code that a reader has to know.
    """

    gsc: str = MOST_RESTRICTIVE_CARRIED
    onward: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    handling_conditions: tuple[str, ...] = ()
    grading: str | None = None
    nature: str
    originator: str
    holder: str
    obtained: str = "first_hand"
    chain: tuple[str, ...] = ()

    def permits(self, audience: str) -> bool:
        """Say whether the item may be passed to `audience`; what is not listed is forbidden (SEF §2.6)."""
        return audience in self.onward

    def narrowed(self, *, to: Iterable[str], through: str) -> "Marking":
        """Give the marking after one more pair of hands: audiences intersected, everything else kept."""
        allowed = frozenset(to)
        onward = tuple(audience for audience in self.onward if audience in allowed)
        return self.model_copy(update={"onward": onward, "chain": (*self.chain, through)})

    def granted(self, audience: str) -> "Marking":
        """Give the marking with one audience that the originator itself has added, on request (DIS-04, §3.11)."""
        return self if self.permits(audience) else self.model_copy(update={"onward": (*self.onward, audience)})


def highest_classification(classifications: Iterable[str]) -> str:
    """Give the marking that governs a whole (DIS-15); an unknown one counts as the highest that may be carried."""
    ranks = {name: rank for rank, name in enumerate(CLASSIFICATIONS)}
    known = [name if name in ranks else MOST_RESTRICTIVE_CARRIED for name in classifications]
    return max(known, key=ranks.__getitem__, default=MOST_RESTRICTIVE_CARRIED)
