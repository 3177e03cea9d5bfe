"""What a verifier of evidence says of receipts: whose they are, of which message, and which are none."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.kit.envelope.sealing import Sealed, Section
from schemas.receipt import Outcome, Receipt, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Event
from tests.support.envelopes import sealed_by
from tests.support.parties import NOW, Party
from tests.unit.directory.verifying import AT, World, shown


def receipt_for(original: Sealed, **changes: Any) -> Receipt:
    plain: dict[str, Any] = {"kind": ReceiptKind.RECEIVED, "outcome": Outcome.RECEIVED, "seq_seen": 1, "at": NOW}
    return Receipt(**{**plain, "original_stub_hash": original.stub_hash, **changes})


def sealed_receipt(world: World, text: bytes, *, by: Party | None = None) -> Sealed:
    sender = by or world.police
    to = world.council if sender is world.police else world.police
    around: dict[str, Any] = {"event": Event.RECEIPT, "lane": Lane.RECEIPT, "service_class": "receipt"}
    return sealed_by(sender, to, directory=world.directory, sections={Section.TEAM: text}, **around)


def test_a_court_reads_what_a_receipt_says_and_of_which_message(world: World) -> None:
    """SPEC 11.3: the other side's own words, and the stub hash by which they belong together."""
    asked = sealed_by(world.council, world.police, directory=world.directory)
    receipt = receipt_for(asked)
    answered = sealed_receipt(world, receipt.to_bytes())
    first, second = world.findings(shown(asked, {}), shown(answered, {1: receipt.to_bytes()}))
    (said,) = (one for one in (first, second) if one.statement and one.statement.receipt)
    assert said.sentence == (
        f"testford-police to testford-la: receipt (RCP) at {AT}, R1 received at {AT} of stub {asked.stub_hash.hex()}, "
        f"stub {answered.stub_hash.hex()}, sections proved: 1 team"
    )
    assert said.statement is not None
    assert said.statement.receipt == receipt


def test_a_message_whose_text_looks_like_a_receipt_is_none(world: World) -> None:
    """Only an envelope of that event is a receipt: an answer that quotes one proves no receiving."""
    asked = sealed_by(world.council, world.police, directory=world.directory)
    text = receipt_for(asked).to_bytes()
    quoting = sealed_by(
        world.police, world.council, directory=world.directory, event=Event.ANSWER, sections={Section.TEAM: text}
    )
    found = world.findings(shown(asked, {}), shown(quoting, {1: text}))
    assert [one.statement.receipt for one in found if one.statement] == [None, None]
    assert all(one.holds for one in found)


@pytest.mark.parametrize(
    ("text", "with_original", "reason"),
    [
        (lambda asked: b"received", True, "no receipt inside"),
        (lambda asked: receipt_for(asked).to_bytes(), False, "a receipt for something that is not in the bundle"),
    ],
)
def test_a_receipt_that_belongs_to_nothing_proves_nothing(
    text: Callable[[Sealed], bytes], with_original: bool, reason: str, world: World
) -> None:
    """It must be one, and what it names must be there to be looked at."""
    asked = sealed_by(world.council, world.police, directory=world.directory)
    answered = sealed_receipt(world, text(asked))
    others = [shown(asked, {})] if with_original else []
    found = world.findings(*others, shown(answered, {1: text(asked)}))
    assert [one.sentence.rpartition(": ")[2] for one in found if not one.holds] == [reason]


def test_a_receipt_whose_text_was_not_kept_still_proves_that_it_was_sent(world: World) -> None:
    """A stub alone is evidence of sending; nothing is said of what it answered."""
    asked = sealed_by(world.council, world.police, directory=world.directory)
    answered = sealed_receipt(world, receipt_for(asked).to_bytes())
    (found,) = world.findings(shown(answered, {}))
    assert (found.holds, found.statement is not None and found.statement.receipt) == (True, None)
    assert found.sentence.endswith(f"stub {answered.stub_hash.hex()}, sections proved: none")


def test_a_sender_gives_itself_the_receipt(world: World) -> None:
    """M10: whoever knows the stub's hash can write one; only the recipient's counts."""
    asked = sealed_by(world.council, world.police, directory=world.directory)
    text = receipt_for(asked).to_bytes()
    forged = sealed_receipt(world, text, by=world.council)
    found = world.findings(shown(asked, {}), shown(forged, {1: text}))
    reasons = [one.sentence.rpartition(": ")[2] for one in found if not one.holds]
    assert reasons == ["a receipt by somebody else than the recipient"]
