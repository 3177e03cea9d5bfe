"""Words that partners wrote, made safe to show, and moments as a person in the office reads them.

Nothing is ever left out: what a terminal would obey (escape sequences) or what would reorder a line unseen
(bidirectional overrides) is shown by name instead. Right-to-left text itself passes as it is. For paper, characters
that the fonts embedded in the typesetter lack are named too, so that no wording comes out as empty boxes.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")

_NEWLINES: Final = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Scripts and signs that the embedded fonts cover without a gap; a test typesets every one of them.
_ON_PAPER: Final = (
    (0x0020, 0x0484),
    (0x0487, 0x04FF),
    (0x0531, 0x05F4),
    (0x0606, 0x060C),
    (0x061B, 0x061C),
    (0x061F, 0x061F),
    (0x0621, 0x063A),
    (0x0640, 0x0655),
    (0x0660, 0x066D),
    (0x0679, 0x067B),
    (0x067E, 0x0680),
    (0x06A9, 0x06A9),
    (0x06AF, 0x06AF),
    (0x06BE, 0x06BE),
    (0x06CC, 0x06CC),
    (0x06F0, 0x06F9),
    (0x0900, 0x0950),
    (0x0955, 0x097F),
    (0x1E00, 0x1FFF),
    (0x2000, 0x2027),
    (0x202F, 0x2040),
    (0x20A0, 0x20BF),
    (0x2190, 0x21FF),
    (0x2200, 0x22FF),
    (0x2500, 0x25FF),
    (0x2713, 0x2718),
    (0xFB00, 0xFB4F),
    (0xFE00, 0xFE0F),
    (0xFFFD, 0xFFFD),
)
_PLAIN_PAPER: Final = ((0x0020, 0x017F), (0x2010, 0x2027))


def on_screen(text: str) -> str:
    """Give `text` for a terminal: line breaks and tabs kept, every other control shown by its code point."""
    return "".join(_tame(sign) for sign in _NEWLINES.sub("\n", text))


def on_paper(text: str, *, plain: bool = False) -> str:
    """Give `text` for the typesetter; a character without a glyph is named in brackets, a foreign word once.

    `plain` names everything but Latin letters: the second attempt, where a combination of signs could not be set.
    """
    can: Callable[[str], bool] = _is_plain if plain else _has_glyph
    runs = itertools.groupby(on_screen(text), key=lambda sign: sign in "\n\t" or can(sign))
    return "".join("".join(run) if shown else _named("".join(run)) for shown, run in runs)


def _tame(sign: str) -> str:
    if sign in "\n\t":
        return sign
    if sign in _REORDERING or unicodedata.category(sign) in ("Cc", "Cs"):
        return f"[U+{ord(sign):04X}]"
    return sign


def _has_glyph(sign: str) -> bool:
    return _within(sign, _ON_PAPER) and unicodedata.category(sign) not in ("Cn", "Co")


def _is_plain(sign: str) -> bool:
    return _within(sign, _PLAIN_PAPER)


def _within(sign: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in ranges)


def _named(run: str) -> str:
    """Name the signs of one run: letters of a script together, everything else one by one."""
    letters = sum(unicodedata.category(sign)[0] in "LM" for sign in run)
    script = unicodedata.name(run[0], "unknown").split()[0]
    script = script if script == "CJK" else script.capitalize()
    if letters == len(run) and letters > 1:
        return f"[{letters} letters of {script} script: read them on the screen]"
    return "".join(f"[{unicodedata.name(sign, f'U+{ord(sign):04X}').lower()}]" for sign in run)


def moment(at: datetime, *, near: datetime | None = None) -> str:
    """Give "Tue 24 Nov 18:20" in London's time; with the year where it is not that of `near`."""
    local = at.astimezone(LONDON)
    same_year = near is not None and near.astimezone(LONDON).year == local.year
    return f"{local:%a} {local.day} {local:%b} " + (f"{local:%H:%M}" if same_year else f"{local:%Y %H:%M}")


def day(on: date) -> str:
    """Give "24 Nov 2026"."""
    return f"{on.day} {on:%b %Y}"
