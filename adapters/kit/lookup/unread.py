"""What could not be read, in words that say where it is and what to do, and never what it says.

An `Unread` is a value, not an exception: the records that could be read are still there, and a person decides whether
an answer may be made without the rest. It names file, row and field; it never quotes the cell.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unread:
    """One gap. `row` counts as a spreadsheet does, the header being row 1; `field` is a column, element or table."""

    file: str
    row: int | None
    field: str | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        row = f" row {self.row}" if self.row is not None else ""
        name = f", {self.field}" if self.field else ""
        return f"{self.file}{row}{name}: {self.problem}; {self.remedy}"


class BadField(ValueError):  # it is carried to an Unread at once and never reaches anybody as an error
    """A cell or element cannot be read. Correct it at the source and export again."""

    def __init__(self, field: str | None, problem: str, remedy: str = "correct it and export again") -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem
        self.remedy = remedy

    def at(self, file: str, row: int | None) -> Unread:
        """Say where it happened."""
        return Unread(file, row, self.field, self.problem, self.remedy)
