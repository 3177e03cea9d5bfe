"""Small numbers hidden in a table with totals, so that arithmetic cannot bring them back (REC-19, P44).

It guarantees, of every count from 1 to 5: it is not shown, totals included; and for whoever adds up and subtracts what
is shown, it could still be every number from 1 to 5 (a total: every one from the number of its counts that are not
nought, for noughts are shown).
Further cells are hidden until this holds: the fewest and smallest that help, totals after cells. The table is audited,
not assumed: what each small count could still be is computed exactly, as a flow through the hidden cells.
The limits: who guesses why a cell was hidden may narrow it down. And one table at a time: two tables that share counts,
or this month's beside a running total of the year, can be set against each other; publish one.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SMALL: Final = range(1, 6)
TOTAL: Final = -1
"""The row or column index of totals."""
PLENTY: Final = len(SMALL)
"""More room than a small count can use: flows are not followed beyond it."""

Cell = tuple[int, int]
Node = tuple[str, int]


@dataclass(frozen=True)
class Table:
    """A table of counts with its totals; None is a hidden count. Rows and columns are in the order given."""

    cells: tuple[tuple[int | None, ...], ...]
    row_totals: tuple[int | None, ...]
    column_totals: tuple[int | None, ...]
    total: int | None


def suppress(counts: Sequence[Sequence[int]]) -> Table:
    """Give the table of `counts` (rows of equal length, none negative) with its totals, safe to show."""
    values = _with_totals(counts)
    hidden = {cell for cell, value in values.items() if value in SMALL}
    for cell in sorted(hidden, key=lambda cell: (values[cell], cell)):
        while possible(values, hidden, cell) != could_be(values, cell):
            hidden |= _to_hide(values, hidden, cell)  # hiding more never narrows a range that was wide enough
    return _shown(values, hidden, rows=len(counts))


def possible(values: Mapping[Cell, int], hidden: Collection[Cell], cell: Cell) -> range:
    """Give which of 1 to 5 a hidden small count could be, for somebody who has all that is shown.

    Whatever is added to this cell has to be taken from others of its row and column, and so on round: the most that
    can go round is the greatest flow from the cell's column back to its row.
    """
    rises = _room(values, hidden, leaving_out=cell)
    row, column = ("row", cell[0]), ("column", cell[1])
    up, down = (_flow(rises, column, row), _flow(rises, row, column))
    if _is_margin(cell):
        up, down = down, up
    value = values[cell]
    return range(max(SMALL.start, value - down), min(SMALL.stop - 1, value + up) + 1)


def could_be(values: Mapping[Cell, int], cell: Cell) -> range:
    """Give what a small count could be if nothing but the noughts were shown: a total is no less than its parts."""
    rows = {cell[0]} if cell[0] != TOTAL else {row for row, _ in values}
    columns = {cell[1]} if cell[1] != TOTAL else {column for _, column in values}
    inner = (part for part, value in values.items() if value and not _is_total(part))
    return range(sum(row in rows and column in columns for row, column in inner), SMALL.stop)


def _with_totals(counts: Sequence[Sequence[int]]) -> dict[Cell, int]:
    values = {(row, column): count for row, line in enumerate(counts) for column, count in enumerate(line)}
    if any(count < 0 for count in values.values()) or len({len(line) for line in counts}) > 1:
        raise ValueError("a table has counts, and rows of one length")
    for row, line in enumerate(counts):
        values[row, TOTAL] = sum(line)
    for column in range(len(counts[0]) if counts else 0):
        values[TOTAL, column] = sum(line[column] for line in counts)
    values[TOTAL, TOTAL] = sum(sum(line) for line in counts)
    return values


def _to_hide(values: Mapping[Cell, int], hidden: set[Cell], exposed: Cell) -> set[Cell]:
    """Choose what to hide next: the cheapest rectangle round the exposed count that saves it, or else one more cell.

    Noughts stay shown: hiding one gives no room. With all else hidden nothing is exposed, so there always is a choice.
    """
    lines = ((row, column) for row, column in values if row != exposed[0] and column != exposed[1])
    corners = ({(exposed[0], column), (row, exposed[1]), (row, column)} for row, column in lines)
    useful = (cells - hidden for cells in corners if all(values[cell] for cell in cells))
    for rectangle in sorted(useful, key=lambda cells: _cost(values, cells)):
        if possible(values, hidden | rectangle, exposed) == could_be(values, exposed):
            return rectangle
    shown = ({cell} for cell, value in values.items() if value and cell not in hidden)
    return min(shown, key=lambda cells: _cost(values, cells))


def _cost(values: Mapping[Cell, int], cells: set[Cell]) -> tuple[int, int, int, list[Cell]]:
    """Rate what hiding `cells` takes from the reader: totals after cells, few and small ones first."""
    return sum(map(_is_total, cells)), len(cells), sum(values[cell] for cell in cells), sorted(cells)


def _room(values: Mapping[Cell, int], hidden: Collection[Cell], *, leaving_out: Cell) -> dict[Node, dict[Node, int]]:
    """Give how far each hidden count could rise (row to column) or fall (column to row), the attacker's way.

    Rows and columns add up to nought once totals are written as negative: a total rises when its negative falls.
    """
    room: dict[Node, dict[Node, int]] = {}
    for cell in hidden:
        if cell == leaving_out:
            continue
        rise, fall = PLENTY, min(PLENTY, max(0, values[cell] - 1))  # a nought would have been shown
        if _is_margin(cell):
            rise, fall = fall, rise
        row, column = ("row", cell[0]), ("column", cell[1])
        room.setdefault(row, {})[column] = rise
        room.setdefault(column, {})[row] = fall
    return room


def _flow(room: Mapping[Node, Mapping[Node, int]], source: Node, sink: Node) -> int:
    """Give the greatest flow from `source` to `sink`, up to `PLENTY`, by augmenting shortest paths one by one."""
    left = {node: dict(ways) for node, ways in room.items()}
    total = 0
    while total < PLENTY and (path := _path(left, source, sink)):
        for begin, end in path:
            left[begin][end] -= 1
            left[end][begin] += 1
        total += 1
    return total


def _path(left: Mapping[Node, Mapping[Node, int]], source: Node, sink: Node) -> list[tuple[Node, Node]]:
    came: dict[Node, Node] = {source: source}
    queue = deque([source])
    while queue and sink not in came:
        node = queue.popleft()
        for neighbour, room in left.get(node, {}).items():
            if room > 0 and neighbour not in came:
                came[neighbour] = node
                queue.append(neighbour)
    path: list[tuple[Node, Node]] = []
    node = sink
    while node in came and node != source:
        path.append((came[node], node))
        node = came[node]
    return path[::-1]


def _is_total(cell: Cell) -> bool:
    return TOTAL in cell


def _is_margin(cell: Cell) -> bool:
    """Say whether a cell is the total of a row or a column, and not of the table."""
    return (cell[0] == TOTAL) != (cell[1] == TOTAL)


def _shown(values: Mapping[Cell, int], hidden: set[Cell], *, rows: int) -> Table:
    def show(cell: Cell) -> int | None:
        return None if cell in hidden else values[cell]

    columns = sum(1 for row, column in values if row == TOTAL and column != TOTAL)
    return Table(
        cells=tuple(tuple(show((row, column)) for column in range(columns)) for row in range(rows)),
        row_totals=tuple(show((row, TOTAL)) for row in range(rows)),
        column_totals=tuple(show((TOTAL, column)) for column in range(columns)),
        total=show((TOTAL, TOTAL)),
    )
