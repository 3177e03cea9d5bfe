"""Small numbers stay hidden from whoever adds and subtracts: each attack by its name, and an oracle that tries all."""

import os
from collections.abc import Collection, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from broker.suppression import TOTAL, Cell, Table, possible, suppress

SMALL = set(range(1, 6))
EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "100"))


def attacked(counts: Sequence[Sequence[int]], table: Table) -> dict[Cell, set[int]]:
    """Give, for each small count and total, every number from 1 to 5 that an attacker cannot rule out.

    He tries every filling of the hidden cells, from 1 to more than can matter, against all that is shown.
    """
    true = sums(counts)
    shown = {(row, column): value for row, line in enumerate(table.cells) for column, value in enumerate(line)}
    shown |= {(row, TOTAL): value for row, value in enumerate(table.row_totals)}
    shown |= {(TOTAL, column): value for column, value in enumerate(table.column_totals)} | {
        (TOTAL, TOTAL): table.total
    }
    return left(true, {cell for cell, value in shown.items() if value is None})


def safe(counts: Sequence[Sequence[int]], table: Table) -> bool:
    """Say whether every small count could still be 1 to 5, and every small total no less than its parts to 5."""
    return all(
        values == set(range(1 if TOTAL not in cell else _parts(counts, cell), 6))
        for cell, values in attacked(counts, table).items()
    )


def _parts(counts: Sequence[Sequence[int]], cell: Cell) -> int:
    """Count what is not nought of what a total adds up."""
    row, column = cell
    lines = counts if row == TOTAL else [counts[row]]
    return sum(bool(value) for line in lines for value in (line if column == TOTAL else [line[column]]))


def left(true: dict[Cell, int], hidden: Collection[Cell]) -> dict[Cell, set[int]]:
    """Try all fillings: what could each small count be?"""
    inner = [cell for cell in true if TOTAL not in cell]
    tries = product(*(range(1, true[cell] + 5) if cell in hidden else (true[cell],) for cell in inner))
    width = 1 + max(column for _, column in inner)
    tables = (sums([guess[begin : begin + width] for begin in range(0, len(inner), width)]) for guess in tries)
    fitting = [table for table in tables if all(table[cell] == true[cell] for cell in true if cell not in hidden)]
    return {cell: {table[cell] for table in fitting} & SMALL for cell in true if true[cell] in SMALL}


def sums(counts: Sequence[Sequence[int]]) -> dict[Cell, int]:
    """Add the totals to a table."""
    table = {(row, column): value for row, line in enumerate(counts) for column, value in enumerate(line)}
    rows = {(row, TOTAL): sum(line) for row, line in enumerate(counts)}
    columns = {(TOTAL, column): sum(line) for column, line in enumerate(zip(*counts, strict=True))}
    return table | rows | columns | {(TOTAL, TOTAL): sum(map(sum, counts))}


def test_a_small_count_is_never_shown() -> None:
    """The first attack is to read it."""
    table = suppress([[1, 2, 40], [3, 4, 50], [5, 60, 70]])
    shown = {value for line in table.cells for value in line} | {*table.row_totals, *table.column_totals, table.total}
    assert not shown & set(range(1, 6))


def test_a_small_count_cannot_be_subtracted_from_its_row_total() -> None:
    """33 less 10 less 20 would be the hidden 3: another cell of the row is hidden with it."""
    table = suppress([[10, 3, 20], [30, 40, 50], [12, 15, 18]])
    assert sum(value is None for value in table.cells[0]) >= 2


def test_a_small_count_cannot_be_subtracted_from_its_column_total() -> None:
    """The same attack downwards: whoever hid only along the row has hidden nothing."""
    table = suppress([[10, 3, 20], [30, 40, 50], [12, 15, 18]])
    column = [line[1] for line in table.cells]
    assert sum(value is None for value in column) >= 2


def test_a_small_count_cannot_be_worked_out_from_rows_and_columns_together() -> None:
    """Two hidden in its row and in its column are not enough when the equations have one solution only.

    Row 0 less row 1 and column 0 less column 1 would give the 3 away if the hidden cells formed no ring.
    """
    counts = [[3, 9, 20], [9, 30, 40], [30, 40, 50]]
    assert safe(counts, suppress(counts))


def test_two_hidden_neighbours_do_not_give_each_other_away() -> None:
    """A total of 10 over two counts that are both at most 5 is 5 and 5: the total goes, or a third count."""
    counts = [[5, 5, 0], [20, 30, 40]]
    assert safe(counts, suppress(counts))


def test_a_small_total_is_hidden_like_any_small_count() -> None:
    """A single request of an agency in the month: neither its cell nor its total."""
    table = suppress([[1, 0], [40, 50]])
    assert table.cells[0][0] is None
    assert table.row_totals[0] is None


def test_a_grand_total_does_not_give_a_hidden_total_away() -> None:
    """One hidden row total beside a shown grand total would be the difference of the others."""
    counts = [[2], [40], [50]]
    table = suppress(counts)
    assert safe(counts, table)


def test_noughts_and_large_counts_are_shown_where_nothing_small_is_near() -> None:
    """Hiding is for small counts; a table without them is shown whole."""
    table = suppress([[0, 6], [700, 0]])
    assert table == Table(((0, 6), (700, 0)), (6, 700), (700, 6), 706)


def test_a_table_of_small_counts_alone_is_hidden_whole() -> None:
    """A quiet month says nothing, and that is said."""
    table = suppress([[1]])
    assert table == Table(((None,),), (None,), (None,), None)


def test_an_empty_table_is_an_empty_table() -> None:
    """No requests: no rows, and a total of nought."""
    assert suppress([]) == Table((), (), (), 0)


@pytest.mark.parametrize("counts", [[[-1]], [[1, 2], [3]]])
def test_what_is_no_table_of_counts_is_refused(counts: list[list[int]]) -> None:
    """A negative count or a ragged row would make the audit mean nothing."""
    with pytest.raises(ValueError, match="a table has counts"):
        suppress(counts)


def test_a_quiet_agency_does_not_hide_the_others() -> None:
    """Four requests with four outcomes: its row says nothing, the large rows lose no more than protects it."""
    table = suppress([[1, 1, 1, 1], [30, 40, 50, 60], [35, 45, 55, 65]])
    assert table.cells[0] == (None,) * 4
    assert sum(value is None for line in table.cells[1:] for value in line) <= 4


shapes = some.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (2, 3), (3, 2)])
few = some.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 7, 9])


@some.composite
def tables(draw: some.DrawFn) -> list[list[int]]:
    """Draw a small table, whose every filling can be tried."""
    rows, columns = draw(shapes)
    return draw(some.lists(some.lists(few, min_size=columns, max_size=columns), min_size=rows, max_size=rows))


@settings(max_examples=min(EXAMPLES, 1000), deadline=None, database=None)
@given(counts=tables())
def test_every_small_count_of_every_table_could_be_anything_from_one_to_five(counts: list[list[int]]) -> None:
    """An attacker who tries every filling learns nothing but the mark; and noughts are always shown."""
    table = suppress(counts)
    if sum(value is None for line in table.cells for value in line) <= 4:  # more would be too many fillings to try
        assert safe(counts, table)
    assert all(
        seen == 0
        for line, shown in zip(counts, table.cells, strict=True)
        for true, seen in zip(line, shown, strict=True)
        if true == 0
    )


@settings(max_examples=min(EXAMPLES, 1000), deadline=None, database=None)
@given(data=some.data(), shape=some.sampled_from([(1, 2), (2, 1), (2, 2)]))
def test_the_audit_finds_exactly_what_an_attacker_is_left_with(data: some.DataObject, shape: tuple[int, int]) -> None:
    """Whatever is hidden, cells or totals: the range computed as a flow is the range found by trying all fillings."""
    counts = [data.draw(some.lists(few, min_size=shape[1], max_size=shape[1])) for _ in range(shape[0])]
    true = sums(counts)
    hidden = {cell for cell, value in true.items() if value in SMALL or (value and data.draw(some.booleans()))}
    for cell, values in left(true, hidden).items():
        assert set(possible(true, hidden, cell)) == values


def test_the_audit_is_exact_for_totals_too() -> None:
    """A small total between hidden cells and a shown grand total: it moves against the other totals."""
    counts = [[1, 2], [6, 0]]
    true = sums(counts)
    hidden = {(0, 0), (0, 1), (0, TOTAL), (1, 0), (1, TOTAL), (TOTAL, 1)}
    assert left(true, hidden)[0, TOTAL] == set(possible(true, hidden, (0, TOTAL)))
