"""Names and addresses in a form that can be compared: how alike two are, as one of three words.

Nothing here decides. Spelling, accents, hyphens, order ("SMITH, Joy") and short forms are levelled; what remains is
`same`, `similar` or `differs`, and `None` where one side says nothing.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import jellyfish
from nameparser import HumanName
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.fuzz import token_set_ratio

_REMEMBERED: Final = 16384
_ALIKE: Final = 0.92
_ADDRESS_ALIKE: Final = 88
_POSTCODE: Final = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b")
_SHORT_FORMS: Final = (
    frozenset({"tilly", "matilda", "mathilda", "tilda"}),
    frozenset({"ben", "benjamin", "benny"}),
    frozenset({"alex", "alexander", "alexandra", "sandy"}),
    frozenset({"liz", "beth", "elizabeth", "betty", "eliza"}),
    frozenset({"kate", "katie", "katherine", "catherine", "kathryn"}),
    frozenset({"dan", "daniel", "danny"}),
    frozenset({"sam", "samuel", "samantha"}),
    frozenset({"mike", "michael", "mick"}),
    frozenset({"tom", "thomas"}),
    frozenset({"jo", "joanne", "joanna", "josephine"}),
    frozenset({"will", "william", "bill", "billy"}),
    frozenset({"jim", "james", "jamie"}),
    frozenset({"rob", "robert", "bob", "bobby"}),
    frozenset({"steve", "stephen", "steven"}),
    frozenset({"tony", "anthony", "antony"}),
)


@dataclass(frozen=True)
class Name:
    """A levelled name: the first forename and the whole surname; either may be empty."""

    forename: str = field(repr=False)
    surname: str = field(repr=False)


def level(text: str) -> str:
    """Give `text` in lower case without accents and punctuation, hyphens as spaces."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or text
    spaced = re.sub(r"[-/.,]", " ", plain.casefold())
    return " ".join(re.sub(r"[^\w\s]", "", spaced).split())


# The caches save one comparison a person of the request: a family shares names and an address.
@lru_cache(maxsize=_REMEMBERED)
def parse_name(text: str) -> Name:
    """Read a whole name as people write it: "Joy Smith", "SMITH, Joy", "Dr Joy Smith"; one word is a surname."""
    name = HumanName(text)
    forename, surname = level(str(name.first)), level(str(name.last))
    return Name(forename, surname) if surname else Name("", forename)


@lru_cache(maxsize=_REMEMBERED)
def alike_forenames(one: str, other: str) -> str | None:
    """Compare forenames; a short form, a bare initial or the same sound is `similar`."""
    if not one or not other:
        return None
    if one == other:
        return "same"
    initial = (len(one) == 1 or len(other) == 1) and one[0] == other[0]
    short = any(one in forms and other in forms for forms in _SHORT_FORMS)
    return "similar" if initial or short or _sounds_alike(one, other) else "differs"


@lru_cache(maxsize=_REMEMBERED)
def alike_surnames(one: str, other: str) -> str | None:
    """Compare surnames; one half of a double-barrelled name, or the same sound, is `similar`."""
    if not one or not other:
        return None
    if one == other:
        return "same"
    half = one in other.split() or other in one.split()
    return "similar" if half or _sounds_alike(one, other) else "differs"


@lru_cache(maxsize=_REMEMBERED)
def alike_addresses(one: str, other: str) -> str | None:
    """Compare addresses: `same` dwelling, `similar` if only the postcode agrees, else `differs`."""
    if not one or not other:
        return None
    here, there = _postcode(one), _postcode(other)
    if here and there and here != there:
        return "differs"
    same_number = _house_number(one) == _house_number(other)
    if same_number and token_set_ratio(_street(one), _street(other)) >= _ADDRESS_ALIKE:
        return "same"
    return "similar" if here and here == there else "differs"


def _sounds_alike(one: str, other: str) -> bool:
    if JaroWinkler.similarity(one, other) >= _ALIKE:
        return True
    return one[0] == other[0] and jellyfish.metaphone(one) == jellyfish.metaphone(other) != ""


def _postcode(address: str) -> str:
    found = _POSTCODE.search(address.upper())
    return f"{found[1]} {found[2]}" if found else ""


def _street(address: str) -> str:
    return level(_POSTCODE.sub(" ", address.upper()))


def _house_number(address: str) -> str:
    found = re.search(r"\b\d+[a-z]?\b", _street(address))
    return found[0] if found else ""
