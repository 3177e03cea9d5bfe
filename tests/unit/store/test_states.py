"""The state tables: what they allow, what they must never allow, and that the page drawn from them is theirs."""

from itertools import product
from pathlib import Path

import pytest

from adapters.kit.delivery import states
from adapters.kit.delivery.states import (
    INBOX,
    OUTBOX,
    OUTBOX_AT_REST,
    OUTBOX_SETTLED,
    IllegalMove,
    InboxEvent,
    InboxState,
    OutboxEvent,
    OutboxState,
    next_inbox,
    next_outbox,
)

RECEIPTS = (OutboxEvent.R1, OutboxEvent.R2, OutboxEvent.R3, OutboxEvent.REJECT)


def test_every_state_has_a_row() -> None:
    """A state without a row would be a trap that nobody drew."""
    assert set(OUTBOX) == set(OutboxState)
    assert set(INBOX) == set(InboxState)


def test_only_what_has_not_left_can_be_recalled() -> None:
    """C04: a recall that wins means that nothing was ever published."""
    recallable = {state for state, row in OUTBOX.items() if OutboxEvent.RECALL in row}
    assert recallable == {OutboxState.DRAFT, OutboxState.HELD}


def test_nothing_goes_back_to_before_it_was_sealed() -> None:
    """Bytes are fixed once: no move leads back to DRAFT or HELD from a sealed state."""
    unsealed = {OutboxState.DRAFT, OutboxState.HELD}
    back = [(state, event) for state, row in OUTBOX.items() for event, after in row.items() if after in unsealed]
    assert back == [(OutboxState.DRAFT, OutboxEvent.HOLD)]


@pytest.mark.parametrize("state", [OutboxState.SEALED, OutboxState.INFLIGHT, OutboxState.CONFIRMED])
@pytest.mark.parametrize("receipt", RECEIPTS)
def test_a_receipt_is_legal_before_the_confirm(state: OutboxState, receipt: OutboxEvent) -> None:
    """C31, C33: the partner may be faster than our own bookkeeping."""
    assert next_outbox(state, receipt) not in {OutboxState.SEALED, OutboxState.INFLIGHT, OutboxState.CONFIRMED}


@pytest.mark.parametrize("first", [OutboxEvent.R1, OutboxEvent.R2])
@pytest.mark.parametrize("second", [OutboxEvent.R1, OutboxEvent.R2])
def test_r1_and_r2_in_either_order_end_in_opened(first: OutboxEvent, second: OutboxEvent) -> None:
    """C33: receipts overtake each other, and the end is the same."""
    both = {first, second}
    after = next_outbox(next_outbox(OutboxState.CONFIRMED, first), second)
    assert after is (OutboxState.OPENED if OutboxEvent.R2 in both else OutboxState.RECEIVED)


def test_a_late_outcome_of_an_attempt_does_not_undo_a_receipt() -> None:
    """C31: R1 came first, then the confirm, the return or the timeout of the attempt."""
    late = (OutboxEvent.ACK, OutboxEvent.RETURN, OutboxEvent.UNKNOWN, OutboxEvent.LEASE_LOST)
    kept = (OutboxState.RECEIVED, OutboxState.OPENED, OutboxState.CLOSED)
    assert [next_outbox(state, event) for state, event in product(kept, late)] == [s for s in kept for _ in late]


def test_what_is_cancelled_stays_cancelled() -> None:
    """A recalled message has no move at all."""
    for event in OutboxEvent:
        with pytest.raises(IllegalMove):
            next_outbox(OutboxState.CANCELLED, event)


def test_an_unconfirmed_state_is_never_settled() -> None:
    """Retention may touch only what the other side or a person has settled."""
    open_states = {OutboxState.SEALED, OutboxState.INFLIGHT, OutboxState.CONFIRMED, OutboxState.RECEIVED}
    assert not OUTBOX_SETTLED & open_states
    assert OUTBOX_SETTLED <= OUTBOX_AT_REST


def test_an_effect_has_one_way_in() -> None:
    """I2: APPLIED is reached from STORED alone and left by nothing."""
    ways = [(state, event) for state, row in INBOX.items() for event, after in row.items() if after == "APPLIED"]
    assert ways == [(InboxState.STORED, InboxEvent.APPLY)]
    assert INBOX[InboxState.APPLIED] == {}


def test_a_parked_message_can_be_taken_up_again() -> None:
    """Parked is visible and not lost."""
    assert next_inbox(InboxState.PARKED, InboxEvent.RETRY) is InboxState.STORED


def test_the_page_of_states_is_drawn_from_the_tables() -> None:
    """The documentation cannot drift: it is the table."""
    page = Path(states.__file__).with_name("STATES.md")
    assert states.as_markdown() == page.read_text(encoding="utf-8")
