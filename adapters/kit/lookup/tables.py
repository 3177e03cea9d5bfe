"""Reading a CSV table strictly: what is not exactly as agreed is named by file, row and column, never guessed.

A header that is not the agreed one closes the whole file, since a column we do not know may carry a restriction we
would then ignore. A row that cannot be read closes that row. UTF-8 only, with or without a byte order mark.
The text of a cell is never put into a message.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from adapters.kit.lookup.unread import BadField, Unread

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
Built = TypeVar("Built")
_GARBLED: Final = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Row:
    """One row: `number` as a spreadsheet counts (the header is row 1), cells by column, stripped of outer spaces."""

    file: str
    number: int
    cells: Mapping[str, str] = field(repr=False)

    @property
    def source(self) -> str:
        """Name the place, as a record's `source`."""
        return f"{self.file} row {self.number}"


@dataclass(frozen=True)
class Table:
    """The rows that could be read, and what could not."""

    rows: tuple[Row, ...] = ()
    unread: tuple[Unread, ...] = ()


def read_table(path: Path, columns: Iterable[str]) -> Table:
    """Read the CSV at `path`, whose header must hold exactly `columns`, in any order."""
    name = path.name
    try:
        raw = read_bytes(path)
    except BadField as bad:
        return Table(unread=(bad.at(name, None),))
    # Undecodable bytes become lone surrogates, so that the row they stand in can be named.
    text = raw.decode("utf-8-sig", errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(reader, []), frozenset(columns))
    except (BadField, csv.Error) as bad:
        found = bad if isinstance(bad, BadField) else BadField(None, "is not a readable CSV table")
        return Table(unread=(found.at(name, 1),))
    return _rows(reader, header=header, name=name)


def read_bytes(path: Path, *, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a file whole. Raises `BadField` if it is missing, unreadable or larger than `limit` bytes."""
    try:
        if path.stat().st_size > limit:
            raise BadField(None, f"is larger than {limit} bytes", "split the export")
        return path.read_bytes()
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else "cannot be opened"
        raise BadField(None, reason, "put the export in place and check its permissions") from None


def build_rows(table: Table, build: Callable[[Row], Built]) -> tuple[tuple[Built, ...], tuple[Unread, ...]]:
    """Make a value from each row; a row for which `build` raises `BadField` is named among the unread."""
    built: list[Built] = []
    unread = list(table.unread)
    for row in table.rows:
        try:
            built.append(build(row))
        except BadField as bad:
            unread.append(bad.at(row.file, row.number))
    return tuple(built), tuple(unread)


def unique(table: Table, column: str) -> Table:
    """Move every row whose `column` was already given to the unread: two things must not answer to one name."""
    seen: set[str] = set()
    rows, unread = [], list(table.unread)
    for row in table.rows:
        if row.cells[column] in seen:
            unread.append(BadField(column, "is given twice", "give each its own").at(row.file, row.number))
        else:
            seen.add(row.cells[column])
            rows.append(row)
    return Table(tuple(rows), tuple(unread))


def _header(cells: list[str], columns: frozenset[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if not header:
        raise BadField(None, "is empty", "export it again")
    if any(_is_garbled(cell) for cell in header):
        raise BadField(None, "the header is not UTF-8 text", "export as UTF-8")
    if missing := sorted(columns - set(header)):
        raise BadField(missing[0], f"missing column{_more(missing)}", "export with the agreed columns")
    if stray := sorted(set(header) - columns):
        raise BadField("stray column", f"the header has a column that is not agreed{_more(stray)}", "leave it out")
    if len(header) != len(columns):
        raise BadField("stray column", "the header names a column twice", "leave one out")
    return header


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _rows(reader: Iterator[list[str]], *, header: list[str], name: str) -> Table:
    rows: list[Row] = []
    unread: list[Unread] = []
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader, None)
            if cells is None:
                return Table(tuple(rows), tuple(unread))
            if cells:
                rows.append(Row(name, number, _cells(cells, header)))
        except BadField as bad:
            unread.append(bad.at(name, number))
        except csv.Error:
            # The reader has lost its place: a quote that is not closed swallows all that follows.
            gap = BadField(None, "broken quoting from this row on", "export again with every quote closed")
            return Table(tuple(rows), (*unread, gap.at(name, number)))


def _cells(cells: list[str], header: list[str]) -> Mapping[str, str]:
    if len(cells) != len(header):
        raise BadField(None, f"has {len(cells)} cells where the header has {len(header)}", "check quotes and commas")
    for column, cell in zip(header, cells, strict=True):
        if "\0" in cell:
            raise BadField(column, "holds a NUL byte", "export it again")
        if _is_garbled(cell):
            raise BadField(column, "is not UTF-8 text", "export as UTF-8")
    return {column: cell.strip() for column, cell in zip(header, cells, strict=True)}


def _is_garbled(cell: str) -> bool:
    return _GARBLED.search(cell) is not None
