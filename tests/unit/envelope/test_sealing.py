"""The sender's side at its edges: what may just be sealed, what may just not, and what a name is made of."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.envelope.sealing import NoCurrentKey, Section, UnfitForSealing, new_mid, new_thread
from adapters.kit.envelope.verification import Arrival, Opened
from adapters.kit.keys.in_use import RecipientKeys
from broker.hub import Delivery
from schemas import base64url
from schemas.directory import Directory
from schemas.envelope import MAX_ENVELOPE, Frame, read_envelope
from schemas.routing import Lane
from schemas.stub import Event, Stub, read_core
from tests.support.envelopes import FIRST, TEXTS, opened, outgoing, refusal_code, sealed_by
from tests.support.parties import NOW, Party

RECEIPT: dict[str, Any] = {"event": Event.RECEIPT, "lane": Lane.RECEIPT, "service_class": "receipt"}


def test_nothing_is_sealed_to_a_recipient_without_a_role_for_it(council: Party, police: Party) -> None:
    """Empty means no: a section that nobody could open is not sent as if it had been."""
    pairs = [(council.name, police.name)]
    for roles in ((), tuple(role for role in police.record.roles if role.name != "protected")):
        bare = police.record.model_copy(update={"roles": roles})
        with pytest.raises(NoCurrentKey):
            sealed_by(council, police, directory=Directory.build(1, [council.record, bare], pairs))


@pytest.mark.parametrize("section", [Section.DECISION_MAKER, Section.PROTECTED])
def test_a_receipt_has_no_part_for_the_decision_maker(
    section: Section, council: Party, police: Party, directory: Directory
) -> None:
    """SPEC 6.1: a text for a section that the kind has not is refused before anything is signed."""
    with pytest.raises(UnfitForSealing, match="has not"):
        sealed_by(council, police, directory=directory, sections={section: b"text"}, **RECEIPT)


def test_a_message_lives_for_14_days_to_the_second(council: Party, police: Party, directory: Directory) -> None:
    """E10 at the sender: the longest life that recipients accept, and not a second more; nor none at all."""
    longest = timedelta(days=14)
    body = sealed_by(council, police, directory=directory, expires_after=longest).body
    assert isinstance(opened(body, sender=council, recipient=police, directory=directory), Opened)
    short = sealed_by(council, police, directory=directory, expires_after=timedelta(seconds=1)).body
    assert isinstance(opened(short, sender=council, recipient=police, directory=directory), Opened)
    for span in (longest + timedelta(seconds=1), timedelta(0), timedelta(seconds=-1)):
        with pytest.raises(UnfitForSealing, match="14 days"):
            sealed_by(council, police, directory=directory, expires_after=span)


@pytest.mark.parametrize(
    "changes", [{**RECEIPT, "lane": Lane.ROUTINE}, {"lane": Lane.RECEIPT}, {"event": Event.HEARTBEAT}]
)
def test_receipts_and_nothing_else_travel_in_the_lane_of_receipts(
    changes: dict[str, Any], council: Party, police: Party, directory: Directory
) -> None:
    """SPEC 5.3, before it is signed; and a heartbeat has no text."""
    with pytest.raises(UnfitForSealing):
        sealed_by(council, police, directory=directory, **changes)


def test_the_largest_message_that_is_sealed_is_one_that_is_accepted(
    council: Party, police: Party, directory: Directory
) -> None:
    """E00: the sender's limit is the recipient's."""
    largest = {Section.TEAM: bytes([1]) * 2_031_000}
    body = sealed_by(council, police, directory=directory, sections=largest).body
    assert len(body) <= MAX_ENVELOPE
    assert refusal_code(opened(body, sender=council, recipient=police, directory=directory)) == "accepted"
    with pytest.raises(UnfitForSealing, match="2 MiB"):
        sealed_by(council, police, directory=directory, sections={Section.TEAM: bytes([1]) * 2_080_000})


def test_names_of_threads_and_messages_are_random_and_say_nothing() -> None:
    """SPEC 5.2: sixteen bytes, and never the same twice."""
    names = [make() for make in (new_thread, new_mid) for _ in range(50)]
    assert len(set(names)) == 100
    assert all(base64url.decode(name, size=16) is not None for name in names)


def test_an_adapters_way_with_envelopes_shows_whose_it_is_and_no_keys(
    council: Party, police: Party, directory: Directory
) -> None:
    """It asks for keys and directory at every use, and a traceback that prints it prints neither."""

    def recipient(now: datetime) -> RecipientKeys:
        return police.recipient(now=now)

    ours = KeyedEnvelopes(council.name, council.sender, recipient, lambda: directory)
    theirs = KeyedEnvelopes(police.name, police.sender, recipient, lambda: directory)
    assert repr(ours) == "KeyedEnvelopes(participant='testford-la')"
    sealed = ours.seal(outgoing(police.name), chain=FIRST, now=NOW)
    arrival = theirs.check(Delivery(council.name, Lane.URGENT, sealed.body, has_cc=False, redelivered=False), now=NOW)
    assert isinstance(arrival, Arrival)
    message = theirs.open(arrival, now=NOW)
    assert isinstance(message, Opened)
    assert message.sections == TEXTS
    copied = Delivery(council.name, Lane.URGENT, sealed.body, has_cc=True, redelivered=False)
    assert refusal_code(theirs.check(copied, now=NOW)) == "E00"


def test_two_sealings_of_one_message_share_no_key_nonce_or_ciphertext(
    council: Party, police: Party, directory: Directory
) -> None:
    """Content keys and nonces are new for every section of every envelope: equal texts cannot be told apart."""
    same = dict.fromkeys(TEXTS, b"the same text")
    sealed = [sealed_by(council, police, directory=directory, sections=same, thread="A" * 22) for _ in range(2)]
    frames = [frame for one in sealed if isinstance(frame := read_envelope(one.body), Frame)]
    texts = [text for frame in frames for text in frame.ciphertexts]
    keys = [one.openings.reveal()[at + 1 : at + 33] for one in sealed for at in range(0, 4 * 33, 33)]
    assert len(set(texts)) == len({text[:24] for text in texts}) == len(set(keys)) == 8
    assert {len(text) for text in texts} == {2048 + 24 + 16}
    assert [one.openings.reveal()[::33] for one in sealed] == [bytes(range(4))] * 2


def test_a_sealed_message_says_what_was_asked_for(council: Party, police: Party, directory: Directory) -> None:
    """What the outbox writes down beside the bytes is what stands in them."""
    sealed = sealed_by(council, police, directory=directory, event=Event.ANSWER, in_reply_to="A" * 22, now=NOW)
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    assert (sealed.stub_hash, sealed.lane, sealed.recipient) == (frame.stub_hash, Lane.URGENT, police.name)
    stub = read_core(frame.head.core)
    assert isinstance(stub, Stub)
    assert (stub.sent_at, stub.expires_at) == (NOW, NOW + timedelta(days=14))
    core = frame.head.core
    assert all(part in core for part in (b'"irt":"' + b"A" * 22, b'"ev":"ANS"', b'"cls":"amber"', sealed.mid.encode()))
