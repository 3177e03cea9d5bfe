"""Receipts, read strictly and written in one way: what the sender's timers and ten years of evidence rest on."""

import json
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.kit.envelope import drafts
from adapters.kit.envelope.receipting import ADAPTER, seal_receipt
from adapters.kit.envelope.sealing import Section, new_thread
from adapters.kit.envelope.verification import Arrival, Opened, open_arrival
from schemas.directory import Directory
from schemas.receipt import Outcome, Receipt, ReceiptKind, parse_receipt
from schemas.routing import Lane
from schemas.stub import Event
from tests.support.envelopes import FIRST, delivered
from tests.support.parties import NOW, Party

SOUND: dict[str, Any] = {
    "at": "2026-11-24T10:12:00Z",
    "code": None,
    "kind": "R1",
    "original_stub_hash": "A" * 43,
    "outcome": "received",
    "seq_seen": 7,
}
MEANINGS = {
    ("R1", "received"): (ReceiptKind.RECEIVED, Outcome.RECEIVED),
    ("R1", "rejected"): (ReceiptKind.RECEIVED, Outcome.REJECTED),
    ("R2", "opened"): (ReceiptKind.OPENED, Outcome.OPENED),
    ("R2", "rejected"): (ReceiptKind.OPENED, Outcome.REJECTED),
    ("R3", "shared"): (ReceiptKind.DECIDED, Outcome.SHARED),
    ("R3", "part_shared"): (ReceiptKind.DECIDED, Outcome.PART_SHARED),
    ("R3", "nothing_to_share"): (ReceiptKind.DECIDED, Outcome.NOTHING_TO_SHARE),
    ("R3", "refused"): (ReceiptKind.DECIDED, Outcome.REFUSED),
}


def written(**changes: Any) -> bytes:
    """Write a receipt as a second implementation would, from SPEC 8.1 and not with our model."""
    return json.dumps(SOUND | changes, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(("kind", "outcome"), MEANINGS)
def test_every_outcome_of_every_kind_is_read_and_written_back(kind: str, outcome: str) -> None:
    """SPEC 8.1: the words are for ever, and the same bytes come out again."""
    raw = written(kind=kind, outcome=outcome, code="REJ-TIME" if outcome == "rejected" else None)
    receipt = parse_receipt(raw)
    assert receipt is not None
    assert (receipt.kind, receipt.outcome) == MEANINGS[kind, outcome]
    assert (receipt.at, receipt.seq_seen, receipt.original_stub_hash) == (NOW, 7, bytes(32))
    assert receipt.to_bytes() == raw


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "R2"},
        {"kind": "R3", "outcome": "received"},
        {"outcome": "rejected"},
        {"outcome": "rejected", "code": "x"},
        {"kind": "R4"},
        {"seq_seen": -1},
        {"seq_seen": 2**53},
        {"seq_seen": True},
        {"seq_seen": 7.0},
        {"at": "2026-11-24T10:12:00"},
        {"at": "2026-11-24T10:12:00+00:00"},
        {"at": "2026-11-24T10:12:00.5Z"},
        {"at": 5},
        {"at": None},
        {"original_stub_hash": "AAAA"},
        {"original_stub_hash": "A" * 44},
        {"original_stub_hash": None},
        {"code": "REJ TIME"},
        {"code": "R" * 33},
        {"more": 1},
    ],
)
def test_a_receipt_that_breaks_one_rule_is_none(change: dict[str, Any]) -> None:
    """E23, for each field: never an exception, never a guess."""
    assert parse_receipt(written(**change)) is None


def test_a_field_given_twice_or_another_spelling_is_none() -> None:
    """Two readers of one receipt must not read two receipts."""
    raw = written()
    assert parse_receipt(raw.replace(b'"kind":"R1"', b'"kind":"R1","kind":"R1"')) is None
    assert parse_receipt(raw.replace(b'":', b'": ')) is None
    assert parse_receipt(json.dumps(json.loads(raw), separators=(",", ":")).encode()[:-1]) is None
    assert parse_receipt(b"[" * 600 + b"]" * 600) is None


def test_nobody_makes_a_receipt_of_something_that_is_no_stub_or_no_time() -> None:
    """The rules hold for what we write ourselves too."""
    plain: dict[str, Any] = {"kind": ReceiptKind.RECEIVED, "outcome": Outcome.RECEIVED, "seq_seen": 1}
    for change in ({"original_stub_hash": b"short"}, {"at": datetime(2026, 1, 1)}, {"seq_seen": "7"}):  # noqa: DTZ001  # the fault
        with pytest.raises(ValidationError):
            Receipt(**{**plain, "original_stub_hash": bytes(32), "at": NOW, **change})


def test_a_receipt_cannot_be_changed_after_it_was_read_and_shows_nothing_in_an_error() -> None:
    """What was verified is what is acted upon; what was refused does not reach a log."""
    receipt = parse_receipt(written())
    assert receipt is not None
    with pytest.raises(ValidationError):
        receipt.seq_seen = 9  # type: ignore[misc]  # that is the attack
    with pytest.raises(ValidationError) as refused:
        Receipt.model_validate({**SOUND, "code": "Tilly Ashgrove-Test"})
    assert "Tilly" not in str(refused.value)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_partner_dates_a_receipt_beyond_the_calendar(at: str) -> None:
    """E23 and no exception: a time whose UTC no calendar has is no receipt, and must not end the inbox's worker."""
    assert parse_receipt(written(at=at)) is None


def test_a_receipt_travels_as_the_adapters_own_word(council: Party, police: Party, directory: Directory) -> None:
    """SPEC 8: kind 2, lane and class of receipts, for the team, answering one message; no person is its author."""
    receipt = parse_receipt(written())
    assert receipt is not None
    names = {"recipient": council.name, "thread": new_thread(), "in_reply_to": "B" * 21 + "A"}
    sealed = seal_receipt(receipt, **names, keys=police.sender(), directory=directory, chain=FIRST, now=NOW)
    arrival = delivered(sealed.body, sender=police, recipient=council, directory=directory, lane=Lane.RECEIPT)
    assert isinstance(arrival, Arrival)
    stub = arrival.stub
    assert (stub.event, stub.lane, stub.service_class) == (Event.RECEIPT, Lane.RECEIPT, "receipt")
    assert (stub.thread, stub.irt, stub.to) == (names["thread"], names["in_reply_to"], council.name)
    message = open_arrival(arrival, keys=council.recipient(), directory=directory)
    assert isinstance(message, Opened)
    assert (message.author.user, message.author.role, message.purpose) == ("adapter", "adapter", "receipt")
    assert message.sections == {Section.TEAM: written()}


def test_a_receipt_that_waits_for_sealing_is_the_message_that_would_have_been_sealed() -> None:
    """What the outbox keeps of a receipt is sealed later as it would have been at once."""
    receipt = parse_receipt(written())
    assert receipt is not None
    waiting = drafts.receipt_message(receipt, recipient="testford-la", thread="A" * 22, in_reply_to="B" * 21 + "A")
    assert (waiting.recipient, waiting.thread, waiting.in_reply_to) == ("testford-la", "A" * 22, "B" * 21 + "A")
    assert (waiting.event, waiting.lane, waiting.service_class) == (Event.RECEIPT, Lane.RECEIPT, "receipt")
    assert (waiting.author, waiting.purpose, waiting.sections) == (ADAPTER, "receipt", {Section.TEAM: written()})
    assert drafts.from_bytes(drafts.to_bytes(waiting)) == waiting


def test_a_draft_is_written_in_one_way() -> None:
    """Whether a draft was changed is seen by its bytes: the fields stand in one order."""
    receipt = parse_receipt(written())
    assert receipt is not None
    waiting = drafts.receipt_message(receipt, recipient="testford-la", thread="A" * 22, in_reply_to="B" * 21 + "A")
    fields = list(json.loads(drafts.to_bytes(waiting)))
    assert fields == sorted(fields)
