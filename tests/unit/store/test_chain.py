"""E13: every place that an arrival can have in its sender's chain."""

import pytest

from adapters.kit.delivery.chain import FIRST, RESTART, Fit, Judgement, Neighbours, judge

A, B, C = (bytes([letter]) * 32 for letter in b"ABC")


def beside(
    highest: int, *, here: bytes | None = None, before: bytes | None = None, named: bytes | None = None
) -> Neighbours:
    return Neighbours(highest=highest, here=here, before=before, named_by_next=named)


def test_the_first_envelope_begins_the_chain() -> None:
    """Number one names a zero predecessor."""
    assert judge(seq=1, prev=FIRST, stub_hash=A, beside=beside(0)) == Judgement(Fit.NEXT)


def test_the_next_envelope_names_the_one_before() -> None:
    """The ordinary case."""
    assert judge(seq=2, prev=A, stub_hash=B, beside=beside(1, before=A)) == Judgement(Fit.NEXT)


def test_missing_numbers_are_named() -> None:
    """M4: a message the hub dropped shows as a gap with its numbers."""
    assert judge(seq=5, prev=B, stub_hash=C, beside=beside(2)) == Judgement(Fit.GAP, (3, 4))


def test_a_late_envelope_fills_its_gap() -> None:
    """Lanes overtake each other; late is not wrong."""
    assert judge(seq=2, prev=A, stub_hash=B, beside=beside(3, before=A, named=B)) == Judgement(Fit.FILLS)


@pytest.mark.parametrize(
    ("seq", "prev", "around"),
    [
        (2, A, beside(2, here=C, before=A)),
        (2, C, beside(1, before=A)),
        (2, A, beside(3, before=A, named=C)),
        (1, A, beside(0)),
        (2, FIRST, beside(1, before=A)),
        (2, RESTART, beside(4, before=A)),
    ],
    ids=["number taken", "other predecessor", "successor names another", "first with a past", "no past", "old restart"],
)
def test_a_second_history_is_a_fork(seq: int, prev: bytes, around: Neighbours) -> None:
    """M2, M8: a copied key or a restored store writes a second history, and it is seen."""
    assert judge(seq=seq, prev=prev, stub_hash=B, beside=around).fit is Fit.FORK


def test_a_restored_sender_restarts_above_everything_seen() -> None:
    """C44: it no longer knows its last envelope and says so."""
    assert judge(seq=9, prev=RESTART, stub_hash=B, beside=beside(4)) == Judgement(Fit.RESTART)
