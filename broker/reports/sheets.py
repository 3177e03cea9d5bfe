"""A sheet: one table of a report, which becomes a CSV file and a table on paper. Pure.

A sheet that names requests one by one is not for publication and says so in its first line; in a sheet for publication
a count from 1 to 5 is never shown (`broker.suppression`).
No field is one that a spreadsheet would take for a formula.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from broker.calendar import LONDON

HIDDEN: Final = "[c]"
"""The mark of a confidential count, as official statistics write it."""
NOT_FOR_PUBLICATION: Final = "NOT FOR PUBLICATION: names requests one by one"
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Sheet:
    """One table: `name` is its file's, `rows` hold as many texts as `head`.

    `left`: so many columns at the left hold words; `widths`: one digit a column, where they differ.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    for_publication: bool
    left: int = 1
    widths: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError("a row has as many fields as the sheet has columns")


def csv_of(sheet: Sheet, period: object) -> str:
    """Write a sheet as CSV; `period` is named in the first line of one that is not for publication."""
    marking = [] if sheet.for_publication else [[f"{NOT_FOR_PUBLICATION}, {period}"]]
    return _csv([*marking, sheet.head, *sheet.rows])


def count(value: int | None) -> str:
    """Show a count, or that it is hidden."""
    return HIDDEN if value is None else str(value)


def moment(at: datetime) -> str:
    """Show a moment as the clocks in London do."""
    return at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")


def _csv(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [f"'{field}" if field.startswith(FORMULA_STARTS) else field for field in line] for line in lines
    )
    return text.getvalue()
