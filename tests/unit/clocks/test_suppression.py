"""Small numbers stay hidden from whoever adds and subtracts: each attack by its name, and an oracle that tries all."""

import os
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from broker.suppression import Table, suppress

EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "100"))


def attacked(counts: Sequence[Sequence[int]], table: Table) -> list[tuple[int, set[int]]]:
    """Give each small count and every value an attacker cannot rule out.

    This attacker knows the procedure so well that he knows which hidden counts are small and which are not; he tries
    every filling of the hidden cells, those above five near their true value, against all that is shown.
    """
    tried = [
        [(value,) if seen is not None else _guesses(value) for value, seen in zip(line, shown, strict=True)]
        for line, shown in zip(counts, table.cells, strict=True)
    ]
    width = len(counts[0])
    fillings = [
        [flat[begin : begin + width] for begin in range(0, len(flat), width)]
        for flat in product(*(guesses for line in tried for guesses in line))
    ]
    fitting = [filling for filling in fillings if _fits(filling, counts, table)]
    left = [
        (value, {filling[row][column] for filling in fitting})
        for row, line in enumerate(counts)
        for column, value in enumerate(line)
        if value in range(1, 6)
    ]
    left += [
        (sum(line), {sum(filling[row]) for filling in fitting})
        for row, line in enumerate(counts)
        if sum(line) in range(1, 6)
    ]
    return left


def _guesses(value: int) -> Sequence[int]:
    if value in range(1, 6):
        return range(1, 6)
    return range(0 if value == 0 else max(6, value - 5), value + 6)


def _fits(filling: Sequence[Sequence[int]], counts: Sequence[Sequence[int]], table: Table) -> bool:
    rows = zip((sum(line) for line in filling), (sum(line) for line in counts), table.row_totals, strict=True)
    columns = zip(
        map(sum, zip(*filling, strict=True)), map(sum, zip(*counts, strict=True)), table.column_totals, strict=True
    )
    whole = (sum(map(sum, filling)), sum(map(sum, counts)), table.total)
    return all(_agrees(*line) for line in (*rows, *columns, whole))


def _agrees(guess: int, true: int, seen: int | None) -> bool:
    if seen is not None:
        return guess == seen
    return (guess in range(1, 6)) == (true in range(1, 6))


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
    assert all(len(values) >= 3 for _, values in attacked(counts, suppress(counts)))


def test_two_hidden_neighbours_do_not_give_each_other_away() -> None:
    """A total of 10 over two counts that are both at most 5 is 5 and 5: the total goes, or a third count."""
    counts = [[5, 5, 0], [20, 30, 40]]
    assert all(len(values) >= 3 for _, values in attacked(counts, suppress(counts)))


def test_a_small_total_is_hidden_like_any_small_count() -> None:
    """A single request of an agency in the month: neither its cell nor its total."""
    table = suppress([[1, 0], [40, 50]])
    assert table.cells[0][0] is None
    assert table.row_totals[0] is None


def test_a_grand_total_does_not_give_a_hidden_total_away() -> None:
    """One hidden row total beside a shown grand total would be the difference of the others."""
    counts = [[2], [40], [50]]
    table = suppress(counts)
    assert all(len(values) >= 3 for _, values in attacked(counts, table))


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


shapes = some.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (2, 3), (3, 2)])
few = some.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 30])


@settings(max_examples=min(EXAMPLES, 1000), deadline=None, database=None)
@given(data=some.data(), shape=shapes)
def test_no_table_leaves_fewer_than_three_values_or_all_that_there_can_be(
    data: some.DataObject, shape: tuple[int, int]
) -> None:
    """An attacker who tries every filling is left with three values at least of each small count.

    Save where even a table that shows nothing leaves fewer: then nothing is what it shows.
    """
    counts = [data.draw(some.lists(few, min_size=shape[1], max_size=shape[1])) for _ in range(shape[0])]
    table = suppress(counts)
    hidden_cells = sum(value is None for line in table.cells for value in line)
    if hidden_cells > 5:
        return  # too many fillings to try them all
    nothing_shown = {value for line in table.cells for value in line} == {None} and table.total is None
    assert nothing_shown or all(len(values) >= 3 for _, values in attacked(counts, table))
