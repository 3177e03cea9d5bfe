"""Whether a person of the request is a person of the agency's own system: confirmed, possible or none, with reasons.

Pure. Evidence is weighed feature by feature (`match_weights.py`); then three rules of a safeguarding desk hold
whatever the sum is (§3.2):
1. Nothing is *confirmed* by household features alone: it takes a sound identifier with a forename or date of birth,
   or the whole name with the date of birth, or the whole name in the file of a child of the request who is confirmed.
   An address or a surname alone is possible at most.
2. An identifier that fails its own check, on either side, never confirms and never rules out (EDU-07).
3. A forename, date of birth or identifier that disagrees, with none that agrees, is another person: a brother at the
   same address is not his sister.
A person known to the agency as dead is not silently the living person asked about. An unborn child is found through
the mother and the expected date (RFI-18) and through nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from adapters.kit.lookup.holdings import HeldPerson
from adapters.kit.lookup.identifiers import canonical, is_sound
from adapters.kit.lookup.match_weights import CHANCES, DEFAULT_POLICY, MatchingPolicy, weight
from adapters.kit.lookup.names import alike_addresses, alike_forenames, alike_surnames, parse_name
from schemas.content.person import Person

__all__ = ["DEFAULT_POLICY", "Certainty", "Match", "MatchingPolicy", "match", "match_unborn"]

_OPEN_ORDER: Final = ("same", "similar", "differs")
_HOUSEHOLD: Final = frozenset(("surname", "address", "sex", "age", "family"))


class Certainty(StrEnum):
    """How sure it is; `possible` needs a person to confirm the identity before anything leaves."""

    NONE = "none"
    POSSIBLE = "possible"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Match:
    """One comparison: the sum of the evidence in bits, each feature's level, and why it was held back, if it was."""

    certainty: Certainty
    score: float
    levels: Mapping[str, str]
    held_back: str = ""

    @property
    def agreed(self) -> tuple[str, ...]:
        """Name the features that agree, wholly or nearly."""
        return tuple(
            name if level == "same" else f"{name} (similar)"
            for name, level in self.levels.items()
            if level in ("same", "similar")
        )

    @property
    def disagreed(self) -> tuple[str, ...]:
        """Name the features that disagree, and identifiers that fail their check."""
        return tuple(
            name if level == "differs" else f"{name} (fails its check)"
            for name, level in self.levels.items()
            if level in ("differs", "unsound")
        )


def match(
    asked: Person, held: HeldPerson, *, on: date, family: bool = False, policy: MatchingPolicy = DEFAULT_POLICY
) -> Match:
    """Compare a born person of the request with a held one.

    `on` is the day for which an estimated age is meant; `family` says that the held person stands in the file of a
    child of the request who is confirmed.
    """
    levels = _compare(asked, held, on=on) | ({"family": "same"} if family else {})
    score = sum(weight(name, level) for name, level in levels.items() if level != "unsound")
    if (asked.edd is not None and asked.dob is None) or held.edd is not None:
        return Match(Certainty.NONE, score, levels, "an unborn child is found through the mother")
    if not _individually_compatible(levels) or score < policy.possible:
        return Match(Certainty.NONE, score, levels)
    if reason := _why_only_possible(asked, held, levels=levels) or (
        "" if score >= policy.confirm else "not certain enough"
    ):
        return Match(Certainty.POSSIBLE, score, levels, reason)
    return Match(Certainty.CONFIRMED, score, levels)


def match_unborn(
    asked: Person, held: HeldPerson, *, mother: Match | None, policy: MatchingPolicy = DEFAULT_POLICY
) -> Match:
    """Compare unborn children: as sure as their mothers' match, if the expected dates agree within `edd_days`."""
    if mother is None or mother.certainty is Certainty.NONE or asked.edd is None or held.edd is None:
        return Match(Certainty.NONE, 0.0, {})
    close = abs(asked.edd - held.edd).days <= policy.edd_days
    levels = {"mother": "same", "edd": "same" if close else "differs"}
    # Another expected date may be another pregnancy, or a re-dated one: a person has to look.
    certainty = mother.certainty if close else Certainty.POSSIBLE
    return Match(certainty, mother.score, levels, "" if close else "the expected dates lie apart")


def _compare(asked: Person, held: HeldPerson, *, on: date) -> dict[str, str]:
    found: dict[str, str | None] = dict(_identifiers(asked, held))
    found |= _names((asked.name, *asked.aliases), held.names)
    found["dob"] = _dates(asked.dob, held.dob)
    if asked.dob is None and asked.estimated_age is not None and held.dob is not None:
        found["age"] = "same" if abs((on - held.dob).days / 365.25 - asked.estimated_age) <= 2.5 else "differs"
    found["address"] = _best(alike_addresses(asked.address or "", address) for address in held.addresses)
    if asked.sex and held.sex:
        found["sex"] = "same" if asked.sex.casefold()[0] == held.sex.casefold()[0] else "differs"
    return {name: level for name, level in found.items() if level is not None}


def _identifiers(asked: Person, held: HeldPerson) -> Iterable[tuple[str, str]]:
    for scheme in asked.identifiers.keys() & held.identifiers.keys():
        here, there = asked.identifiers[scheme], held.identifiers[scheme]
        if not is_sound(scheme, here) or not is_sound(scheme, there):
            yield scheme, "unsound"
        else:
            yield scheme, "same" if canonical(here) == canonical(there) else "differs"


def _names(asked: tuple[str | None, ...], held: tuple[str, ...]) -> dict[str, str | None]:
    pairs = [(parse_name(one), parse_name(other)) for one in asked if one for other in held]
    levels = [(alike_forenames(a.forename, b.forename), alike_surnames(a.surname, b.surname)) for a, b in pairs]
    # The pair of whole names that fits best, so that one alias's forename is never joined to another's surname.
    best = max(levels, key=lambda pair: sum(_name_weight(pair)), default=(None, None))
    return {"forename": best[0], "surname": best[1]}


def _name_weight(pair: tuple[str | None, str | None]) -> Iterable[float]:
    for feature, level in zip(("forename", "surname"), pair, strict=True):
        yield weight(feature, level) if level else 0.0


def _dates(asked: date | None, held: date | None) -> str | None:
    if asked is None or held is None:
        return None
    if asked == held:
        return "same"
    one, other = (asked.year, asked.month, asked.day), (held.year, held.month, held.day)
    swapped = one == (other[0], other[2], other[1])
    return "similar" if swapped or sum(a != b for a, b in zip(one, other, strict=True)) == 1 else "differs"


def _best(levels: Iterable[str | None]) -> str | None:
    return min((level for level in levels if level), key=_OPEN_ORDER.index, default=None)


def _schemes(levels: Mapping[str, str], level: str) -> tuple[str, ...]:
    return tuple(name for name, found in levels.items() if found == level and name not in CHANCES)


def _individually_compatible(levels: Mapping[str, str]) -> bool:
    individual = {name: level for name, level in levels.items() if name not in _HOUSEHOLD and level != "unsound"}
    agrees = any(level in ("same", "similar") for level in individual.values())
    return agrees or not any(level == "differs" for level in individual.values())


def _why_only_possible(asked: Person, held: HeldPerson, *, levels: Mapping[str, str]) -> str:
    if _schemes(levels, "unsound"):
        return "an identifier fails its check"
    if _schemes(levels, "differs"):
        return "an identifier differs"
    if held.died_on and (asked.life_status != "deceased" or (asked.died_on and asked.died_on != held.died_on)):
        return "known here as deceased"
    whole_name = levels.get("forename") == "same" == levels.get("surname")
    by_number = _schemes(levels, "same") and "same" in (levels.get("forename"), levels.get("dob"))
    by_name = whole_name and (levels.get("dob") == "same" or ("family" in levels and "dob" not in levels))
    if not by_number and not by_name:
        return "not enough that belongs to one person alone"
    return ""
