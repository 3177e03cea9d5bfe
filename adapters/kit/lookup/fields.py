"""Turning the text of one cell into a value, or saying which column cannot be read. The text is never quoted."""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final

from adapters.kit.lookup.unread import BadField

_YES_NO: Final = {"yes": True, "no": False, "": False}
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def required(cells: Mapping[str, str], column: str) -> str:
    """Give the text of `column`. Raises `BadField` if it is empty."""
    if not cells[column]:
        raise BadField(column, "is empty and must not be", "fill it in and export again")
    return cells[column]


def optional(cells: Mapping[str, str], column: str) -> str | None:
    """Give the text of `column`, or None if it is empty."""
    return cells[column] or None


def several(cells: Mapping[str, str], column: str) -> tuple[str, ...]:
    """Give the parts of `column`, which are separated by semicolons."""
    return tuple(part.strip() for part in cells[column].split(";") if part.strip())


def day(cells: Mapping[str, str], column: str, *, pattern: str = "%Y-%m-%d") -> date | None:
    """Give the date in `column`, or None if it is empty. Raises `BadField` unless it is written as `pattern` says."""
    text = cells[column]
    if not text:
        return None
    # strptime takes 2026-1-5; an export that drops zeros is not the one that was agreed.
    if pattern == "%Y-%m-%d" and not _ISO.fullmatch(text):
        raise BadField(column, "is not a date written as 2026-11-24")
    try:
        return datetime.strptime(text, pattern).date()  # noqa: DTZ007  # a calendar date has no time zone
    except ValueError:
        raise BadField(column, f"is not a date written as {date(2026, 11, 24).strftime(pattern)}") from None


def yes_no(cells: Mapping[str, str], column: str) -> bool:
    """Give whether `column` says yes; empty means no. Raises `BadField` for any other word."""
    try:
        return _YES_NO[cells[column].casefold()]
    except KeyError:
        raise BadField(column, "is neither yes nor no") from None


def one_of(cells: Mapping[str, str], column: str, *, allowed: Collection[str]) -> str:
    """Give the text of `column`. Raises `BadField` unless it is one of `allowed`."""
    if cells[column] not in allowed:
        raise BadField(column, "holds a code that is not in the agreed list")
    return cells[column]
