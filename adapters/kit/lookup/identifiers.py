"""Numbers that name a person, and whether their own check says that they are written correctly.

An identifier that fails its check is not evidence for anything: it can neither confirm nor rule out a person.
The check of a UPN is its letter (mod 23) alone: whether the local authority code is a real one is not our question,
since pupils come from abroad, from closed authorities and from test data.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from stdnum.gb import nhs, upn

_UPN: Final = re.compile(r"[A-HJ-NP-RT-Z]\d{11}[0-9A-HJ-NP-RT-Z]")
_NINO: Final = re.compile(r"[A-Z]{2}\d{6}[A-D]")


def canonical(text: str) -> str:
    """Give an identifier without spaces and hyphens, in capitals."""
    return re.sub(r"[\s-]", "", text).upper()


@lru_cache(maxsize=16384)
def is_sound(scheme: str, text: str) -> bool:
    """Say whether the identifier passes the check of its scheme; a scheme without a check needs only to be there."""
    check = _CHECKS.get(scheme)
    value = canonical(text)
    return bool(value) and (check is None or check(value))


def _is_nhs_number(value: str) -> bool:
    return bool(re.fullmatch(r"\d{10}", value)) and bool(nhs.is_valid(value))


def _is_upn(value: str) -> bool:
    return bool(_UPN.fullmatch(value)) and str(upn.calc_check_digit(value[1:])) == value[0]


def _is_nino(value: str) -> bool:
    return bool(_NINO.fullmatch(value))


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "nhs_number": _is_nhs_number,
    "upn": _is_upn,
    "nino": _is_nino,
}
