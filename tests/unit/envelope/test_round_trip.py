from datetime import timedelta
from typing import Any

import pytest

from adapters.kit.envelope.receipting import NoReceipt, read_receipt, seal_receipt
from adapters.kit.envelope.sealing import NoCurrentKey, NotPermitted, Section, UnfitForSealing, new_mid, seal
from adapters.kit.envelope.verification import Arrival, Opened, open_arrival
from schemas.directory import Directory, Pair
from schemas.receipt import Outcome, Receipt, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Event
from tests.support.envelopes import FIRST, TEXTS, delivered, opened, outgoing, sealed_by
from tests.support.parties import NOW, Party, make_directory


def test_a_recipient_reads_what_was_sealed_to_all_its_roles(
    council: Party, police: Party, directory: Directory
) -> None:
    """What goes in comes out, with its author and purpose."""
    body = sealed_by(council, police, directory=directory).body
    message = opened(body, sender=council, recipient=police, directory=directory)
    assert isinstance(message, Opened)
    assert message.sections == TEXTS
    assert (message.author.user, message.author.role, message.purpose) == (
        "coordinator-1",
        "coordinator",
        "mash_enquiry",
    )


@pytest.mark.parametrize("role", [Section.TEAM, Section.DECISION_MAKER, Section.PROTECTED])
def test_a_role_opens_its_own_section_and_no_other(
    role: Section, council: Party, police: Party, directory: Directory
) -> None:
    """M9: sections are sealed to their audience, and the wrong office inside an agency reads nothing (M15)."""
    body = sealed_by(council, police, directory=directory).body
    arrival = delivered(body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    message = open_arrival(arrival, keys=police.recipient("gateway", role.value), directory=directory)
    assert isinstance(message, Opened)
    assert message.sections == {role: TEXTS[role]}


def test_an_observer_cannot_tell_an_empty_section_from_a_short_one(
    council: Party, police: Party, directory: Directory
) -> None:
    """Never 4: a silent withhold has the size of any other answer."""
    full = sealed_by(council, police, directory=directory)
    bare = sealed_by(council, police, directory=directory, sections={})
    assert len(full.body) == len(bare.body)


def test_a_receipt_comes_back_as_it_was_given(council: Party, police: Party, directory: Directory) -> None:
    """SPEC 8: a receipt is an envelope of its own kind and lane."""
    receipt = Receipt(
        kind=ReceiptKind.RECEIVED, outcome=Outcome.RECEIVED, original_stub_hash=bytes(range(32)), seq_seen=7, at=NOW
    )
    place = {"recipient": council.name, "thread": "A" * 22, "in_reply_to": "A" * 22}
    sealed = seal_receipt(receipt, **place, keys=police.sender(), directory=directory, chain=FIRST, now=NOW)
    message = opened(sealed.body, sender=police, recipient=council, directory=directory, lane=Lane.RECEIPT)
    assert isinstance(message, Opened)
    assert read_receipt(message) == receipt


def test_an_opened_message_without_a_receipt_is_none(council: Party, police: Party, directory: Directory) -> None:
    """E23: a request is not mistaken for a receipt."""
    message = opened(
        sealed_by(council, police, directory=directory).body, sender=council, recipient=police, directory=directory
    )
    assert isinstance(message, Opened)
    with pytest.raises(NoReceipt):
        read_receipt(message)


def test_a_heartbeat_is_an_envelope_of_one_section(council: Party, police: Party, directory: Directory) -> None:
    """M4: silence must be distinguishable, at little cost."""
    beat = sealed_by(council, police, directory=directory, event=Event.HEARTBEAT, lane=Lane.ROUTINE, sections={})
    message = opened(beat.body, sender=council, recipient=police, directory=directory, lane=Lane.ROUTINE)
    assert isinstance(message, Opened)
    assert len(beat.body) < 5000


def test_a_message_keeps_the_name_that_was_chosen_before_sealing(
    council: Party, police: Party, directory: Directory
) -> None:
    """A held message is recalled by its name; one that is no name is not sealed."""
    mid, keys = new_mid(), council.sender()
    sealed = seal(outgoing(police.name), keys=keys, directory=directory, chain=FIRST, now=NOW, mid=mid)
    assert sealed.mid == mid
    assert mid.encode() in sealed.body
    with pytest.raises(UnfitForSealing):
        seal(outgoing(police.name), keys=keys, directory=directory, chain=FIRST, now=NOW, mid="recall-me")


def test_nobody_seals_to_a_partner_without_an_agreement(council: Party, police: Party) -> None:
    """An empty matrix permits nothing."""
    with pytest.raises(NotPermitted):
        sealed_by(council, police, directory=make_directory(council, police, pairs=[]))


def test_nobody_seals_in_a_service_class_that_the_agreement_leaves_out(council: Party, police: Party) -> None:
    """E07 holds at the sender too."""
    only_green = [Pair(sender=council.name, recipient=police.name, classes=("green",))]
    with pytest.raises(NotPermitted):
        sealed_by(council, police, directory=make_directory(council, police, pairs=only_green))


def test_nobody_seals_in_a_suite_that_the_recipient_no_longer_accepts(council: Party, police: Party) -> None:
    """There is no negotiation: the recipient's own record says what is too old for it."""
    strict = police.record.model_copy(update={"min_suite": 3})
    directory = Directory.build(1, [council.record, strict], [(council.name, police.name)])
    with pytest.raises(UnfitForSealing):
        sealed_by(council, police, directory=directory)


def test_nobody_seals_to_a_prekey_whose_week_is_over(council: Party, police: Party, directory: Directory) -> None:
    """A stale directory stops sending rather than sealing to a key that is about to be erased."""
    with pytest.raises(NoCurrentKey):
        sealed_by(council, police, directory=directory, now=NOW + timedelta(weeks=6))


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_after": timedelta(days=15)},
        {"expires_after": timedelta(0)},
        {"lane": Lane.RECEIPT},
        {"service_class": "Tilly Ashgrove"},
        {"thread": "not-a-thread"},
        {"sections": {Section.TEAM: b""}},
        {"sections": {Section.TEAM: bytes(2 * 1024 * 1024)}},
        {"purpose": ""},
    ],
)
def test_a_sender_refuses_to_sign_what_every_recipient_would_refuse(
    changes: dict[str, Any], council: Party, police: Party, directory: Directory
) -> None:
    """A mistake is found before it is signed, not by the partner."""
    with pytest.raises(UnfitForSealing):
        sealed_by(council, police, directory=directory, **changes)


def test_keys_and_plaintexts_have_no_printable_form(council: Party, police: Party, directory: Directory) -> None:
    """Style 14: nothing sealed or secret shows in a repr."""
    sealed = sealed_by(council, police, directory=directory)
    arrival = delivered(sealed.body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    message = open_arrival(arrival, keys=police.recipient(), directory=directory)
    shown = repr((sealed, arrival, message, council.sender(), police.recipient(), police.keyring.stored))
    assert "Tilly" not in shown
    assert "coordinator-1" not in shown
    assert "sealed=" not in shown
