"""A calendar month of the reports, in London; a request belongs to the month in which it was issued."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Self

from broker.calendar import LONDON

_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


class NotAMonth(ValueError):
    """A month reads like 2026-11."""


@dataclass(frozen=True)
class Month:
    """One month. `datetime in month` asks whether an aware moment lies in it, by London's clock."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `2026-11`. Raises `NotAMonth`, without the text."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise NotAMonth(NotAMonth.__doc__)
        return cls(int(found[1]), int(found[2]))

    @property
    def begins_at(self) -> datetime:
        """Give its first moment, in UTC."""
        return _first_moment(self.year, self.month)

    @property
    def ends_at(self) -> datetime:
        """Give the first moment after it, in UTC."""
        return _first_moment(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def in_words(self) -> str:
        """Give it as people say it."""
        return f"{date(self.year, self.month, 1):%B %Y}"

    def __contains__(self, moment: datetime) -> bool:
        return self.begins_at <= moment < self.ends_at

    def __str__(self) -> str:
        return date(self.year, self.month, 1).strftime("%Y-%m")


def _first_moment(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=LONDON).astimezone(UTC)
