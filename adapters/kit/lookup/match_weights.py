"""What each agreement and disagreement is worth, as data: the m and u probabilities of Fellegi and Sunter (1969).

For each feature and level, `m` is how often the level is seen when two entries are the same person, `u` how often when
they are not; the weight is log2(m / u), in bits, and weights add up. The figures are set by hand from the sizes of an
English county's registers (a surname is shared by about 1 in 250, a date of birth by about 1 in 20,000), erring
towards `possible`, since a person then looks. They are one table, so that a hub of agencies can train its own.
The thresholds are data too. Which agreements may *confirm* is not a question of weight: see `matching.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import log2
from typing import Final

IDENTIFIER: Final = "identifier"

# feature -> level -> (m, u)
CHANCES: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    IDENTIFIER: {"same": (0.97, 1e-7), "differs": (0.03, 0.9999999)},
    "surname": {"same": (0.91, 0.004), "similar": (0.06, 0.01), "differs": (0.03, 0.986)},
    "forename": {"same": (0.85, 0.01), "similar": (0.11, 0.02), "differs": (0.04, 0.97)},
    "dob": {"same": (0.95, 0.00005), "similar": (0.03, 0.003), "differs": (0.02, 0.99695)},
    "age": {"same": (0.95, 0.08), "differs": (0.05, 0.92)},
    "address": {"same": (0.65, 0.001), "similar": (0.05, 0.004), "differs": (0.30, 0.995)},
    "family": {"same": (0.60, 0.003), "differs": (0.40, 0.997)},
    "sex": {"same": (0.99, 0.5), "differs": (0.01, 0.5)},
}


@dataclass(frozen=True)
class MatchingPolicy:
    """Two thresholds in bits, and how far an unborn child's expected dates may lie apart, in days.

    At `confirm` and above a pair that holds what confirmation needs is confirmed; at `possible` and above a person
    has to look. Two candidates within `tie` bits of each other are both only possible.
    """

    confirm: float = 20.0
    possible: float = 7.5
    tie: float = 6.0
    edd_days: int = 21


DEFAULT_POLICY: Final = MatchingPolicy()


@cache
def weight(feature: str, level: str) -> float:
    """Give the weight in bits of `feature` having `level`; a scheme of numbers is weighed as an identifier."""
    m, u = CHANCES.get(feature, CHANCES[IDENTIFIER])[level]
    return log2(m / u)
