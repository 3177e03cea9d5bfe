"""The one look that is taken into a prepared wording: does it still name somebody whom it must not (§3.10.3, §6.16)?

It is a guard, not a licence: a wording that passes was still written, and is still approved, by a person.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from schemas.content.person import Person

OUTSIDE: Final = "other:"
_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "sir", "prof"})
# Synthetic surnames end in it; on its own it is a word of any wording ("a positive test").
_NOT_A_SURNAME: Final = frozenset({"test"})
_AS_A_WORD: Final = r"(?<![^\W_]){word}(?![^\W_])"


def wording_state(summary: str | None, *, unnamed: Iterable[str], persons: Mapping[str, Person]) -> str:
    """Say `none`, `usable`, or `names_somebody` for a wording that names one of `unnamed` (keys or `other:LABEL`).

    A person of the request counts as named by the forename, anybody else by the forename or the surname.
    """
    if summary is None or not summary.strip():
        return "none"
    names = [_names(who, persons) for who in unnamed]
    if any(not words for words in names):
        return "names_somebody"
    return "names_somebody" if any(_stands_in(word, summary) for words in names for word in words) else "usable"


def _names(who: str, persons: Mapping[str, Person]) -> frozenset[str]:
    """Give the words that name a person; empty when nobody knows how they are called, so nobody can check."""
    person = persons.get(who)
    if person is None:
        return _outsider_names(who.removeprefix(OUTSIDE))
    called = (person.name or "", *person.aliases)
    return frozenset(words[0] for words in map(_words_of_name, called) if words)


def _outsider_names(label: str) -> frozenset[str]:
    words = _words_of_name(label)
    if not words:
        return frozenset()
    parts = {part for part in words[-1].split("-") if len(part) > 2 and part.casefold() not in _NOT_A_SURNAME}
    return frozenset({words[0], words[-1], *(parts if len(words) > 1 else ())})


def _words_of_name(name: str) -> list[str]:
    words = [word.strip(".,;:()'\"") for word in name.split()]
    return [word for word in words if word and word.casefold() not in _TITLES]


def _stands_in(word: str, text: str) -> bool:
    return re.search(_AS_A_WORD.format(word=re.escape(word)), text, re.IGNORECASE) is not None
