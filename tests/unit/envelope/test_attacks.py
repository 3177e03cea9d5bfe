"""Each test is an attack on an envelope in transit, by the hub, the network, a partner or a thief."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import combinations
from typing import Any

import pytest

from adapters.kit.envelope.verification import Arrival, Refusal, check_arrival, open_arrival
from schemas import base64url
from schemas.directory import Directory, Past
from schemas.envelope import MAX_ENVELOPE, Frame, read_envelope, write_head
from schemas.routing import Lane
from tests.support.envelopes import delivered, opened, refusal_code, sealed_by
from tests.support.parties import NOW, Party, make_directory, make_party


@pytest.fixture(scope="module")
def body(council: Party, police: Party, directory: Directory) -> bytes:
    return sealed_by(council, police, directory=directory).body


@pytest.fixture(scope="module")
def other(council: Party, police: Party, directory: Directory) -> bytes:
    return sealed_by(council, police, directory=directory).body


PAIRS = tuple(combinations(range(4), 2))


def frame_of(body: bytes) -> Frame:
    frame = read_envelope(body)
    assert isinstance(frame, Frame)
    return frame


def swapped(parts: Sequence[bytes], one: int, other: int) -> list[bytes]:
    changed = list(parts)
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def rewritten(frame: Frame, *, by: Party, **changes: Any) -> bytes:
    """Change parts of the head and sign it with `by`'s own key, as only a partner or a thief could."""
    head = write_head(frame.head._replace(**changes))
    return b"".join((head, by.sender().sign(head), *frame.ciphertexts))


def test_a_flood_of_huge_bodies_is_refused_before_it_is_read(
    council: Party, police: Party, directory: Directory
) -> None:
    """M16: the size is checked before anything is parsed."""
    huge = bytes(MAX_ENVELOPE + 1)
    assert refusal_code(delivered(huge, sender=council, recipient=police, directory=directory)) == "E00"


@pytest.mark.parametrize(("one", "other_one"), PAIRS)
def test_a_hub_swaps_two_sections_of_one_envelope(
    one: int, other_one: int, body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E14: the signed table names each ciphertext at its place."""
    frame = frame_of(body)
    forged = frame.stub + b"".join(swapped(frame.ciphertexts, one, other_one))
    assert refusal_code(opened(forged, sender=council, recipient=police, directory=directory)) == "E14"


@pytest.mark.parametrize("place", range(4))
def test_a_hub_swaps_one_section_between_two_envelopes(
    place: int, body: bytes, other: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E14: of the same sender, recipient and minute, and still not this one's."""
    texts = list(frame_of(body).ciphertexts)
    texts[place] = frame_of(other).ciphertexts[place]
    forged = frame_of(body).stub + b"".join(texts)
    assert refusal_code(opened(forged, sender=council, recipient=police, directory=directory)) == "E14"


@pytest.mark.parametrize(("one", "other_one"), PAIRS)
def test_a_sender_swaps_two_sealed_keys_of_one_envelope(
    one: int, other_one: int, body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E09 by the hub; E17 even signed anew: a sealed key opens at its own place and for its own role."""
    frame = frame_of(body)
    sealed = swapped([wrap.sealed for wrap in frame.head.wraps], one, other_one)
    wraps = tuple(wrap._replace(sealed=text) for wrap, text in zip(frame.head.wraps, sealed, strict=True))
    by_hub = write_head(frame.head._replace(wraps=wraps)) + frame.signature + b"".join(frame.ciphertexts)
    assert refusal_code(delivered(by_hub, sender=council, recipient=police, directory=directory)) == "E09"
    by_sender = rewritten(frame, by=council, wraps=wraps)
    assert refusal_code(opened(by_sender, sender=council, recipient=police, directory=directory)) == "E17"


def test_a_hub_swaps_the_bodies_of_two_envelopes(
    body: bytes, other: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E14: the stub of one with the sections of the other."""
    forged = frame_of(body).stub + b"".join(frame_of(other).ciphertexts)
    assert refusal_code(opened(forged, sender=council, recipient=police, directory=directory)) == "E14"


def test_a_hub_swaps_a_wrap_between_two_envelopes(
    body: bytes, other: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E09: wraps are signed."""
    wrap, graft = frame_of(body).head.wraps[1].sealed, frame_of(other).head.wraps[1].sealed
    forged = body.replace(wrap, graft)
    assert refusal_code(delivered(forged, sender=council, recipient=police, directory=directory)) == "E09"


def test_a_sender_reuses_the_wraps_of_an_older_envelope(
    body: bytes, other: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E17: even signed anew, a wrap opens in its own envelope only."""
    forged = rewritten(frame_of(body), by=council, wraps=frame_of(other).head.wraps)
    assert refusal_code(opened(forged, sender=council, recipient=police, directory=directory)) == "E17"


def test_a_sender_moves_a_section_and_its_row_to_another_place(
    body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E18: key, commitments and text belong to one place; a protected address cannot slip into the team's section."""
    frame = frame_of(body)
    rows = list(frame.head.sections)
    rows[1], rows[3] = rows[3]._replace(place=1), rows[1]._replace(place=3)
    moved = frame._replace(ciphertexts=tuple(frame.ciphertexts[index] for index in (0, 3, 2, 1)))
    forged = rewritten(moved, by=council, sections=tuple(rows))
    assert refusal_code(opened(forged, sender=council, recipient=police, directory=directory)) == "E18"


def test_a_thief_re_signs_somebody_elses_ciphertext_as_its_own(
    body: bytes, council: Party, police: Party, school: Party, directory: Directory
) -> None:
    """M13: with the thief's name in the core, no wrap opens."""
    frame = frame_of(body)
    core = frame.head.core.replace(council.name.encode(), school.name.encode())
    core = core.replace(council.sender().kid.encode(), school.sender().kid.encode())
    forged = rewritten(frame, by=school, core=core)
    assert refusal_code(opened(forged, sender=school, recipient=police, directory=directory)) == "E17"


def test_a_thief_re_signs_and_leaves_the_victims_name(
    body: bytes, council: Party, police: Party, school: Party, directory: Directory
) -> None:
    """E09: another agency's signature under the victim's name is none."""
    forged = rewritten(frame_of(body), by=school)
    assert refusal_code(delivered(forged, sender=council, recipient=police, directory=directory)) == "E09"


def test_a_recipient_forwards_a_signed_message_to_a_third_party(
    body: bytes, council: Party, school: Party, directory: Directory
) -> None:
    """M12, surreptitious forwarding: the signed core says for whom it was."""
    assert refusal_code(delivered(body, sender=council, recipient=school, directory=directory)) == "E04"


def test_a_recipient_passes_a_text_on_inside_an_envelope_of_its_own(
    council: Party, police: Party, school: Party, directory: Directory
) -> None:
    """M12: what the third party reads is signed by the forwarder, and nothing in it names the first sender."""
    passed_on = sealed_by(police, school, directory=directory).body
    arrival = delivered(passed_on, sender=police, recipient=school, directory=directory)
    assert isinstance(arrival, Arrival)
    assert arrival.stub.from_ == police.name


def test_a_hub_delivers_into_the_wrong_lane(body: bytes, council: Party, police: Party, directory: Directory) -> None:
    """E04: an urgent request in the routine queue is a misroute."""
    outcome = delivered(body, sender=council, recipient=police, directory=directory, lane=Lane.ROUTINE)
    assert refusal_code(outcome) == "E04"


def test_a_partner_publishes_under_anothers_name(
    body: bytes, council: Party, police: Party, school: Party, directory: Directory
) -> None:
    """E05: the exchange that the broker authenticated must belong to the sender named."""
    outcome = delivered(body, sender=council, recipient=police, directory=directory, ingress_owner=school.name)
    assert refusal_code(outcome) == "E05"


def test_a_partner_asks_the_broker_for_a_copy(body: bytes, council: Party, police: Party, directory: Directory) -> None:
    """E00: a CC header, which RabbitMQ 3.10 honours past its permissions, is refused on arrival."""
    assert refusal_code(delivered(body, sender=council, recipient=police, directory=directory, has_cc=True)) == "E00"


def test_a_hub_replays_an_envelope_after_its_time(
    body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E10: after `exp` the duplicate table may forget, because time refuses."""
    late = NOW + timedelta(days=14)
    outcome = delivered(body, sender=council, recipient=police, directory=directory, now=late)
    assert (refusal_code(outcome), getattr(outcome, "external", None)) == ("E10", "REJ-TIME")


def test_a_replayed_envelope_carries_the_same_stub_hash_and_number(
    body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """M2: what the inbox's duplicate table needs (E11, E12, E13) is authenticated and stable."""
    once, again = (delivered(body, sender=council, recipient=police, directory=directory) for _ in range(2))
    assert isinstance(once, Arrival)
    assert once == again
    assert once.stub_hash == sha256(frame_of(body).stub).digest()
    assert (once.stub.seq, once.stub.prev) == (1, bytes(32))


def test_a_hub_shows_two_directories_at_one_version(body: bytes, council: Party, police: Party, school: Party) -> None:
    """M5, equivocation: same version, other hash; the detail says so because sending must stop."""
    mine = make_directory(council, police, school, make_party("testford-fire", kind="fire"))
    outcome = delivered(body, sender=council, recipient=police, directory=mine)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.detail) == ("E06", "EQUIVOCATION")


def test_a_sender_uses_a_directory_that_was_replaced_long_ago(
    body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """M6: an old directory is refused 72 hours after it was replaced, and not before."""
    newer = make_directory(council, police, version=2)
    digest = base64url.encode(directory.hash)
    for hours, expected in ((71, "accepted"), (73, "E06")):
        replaced = int((NOW - timedelta(hours=hours)).timestamp())
        mine = newer.remembering([Past(version=1, digest=digest, superseded_at=replaced)])
        assert refusal_code(delivered(body, sender=council, recipient=police, directory=mine)) == expected


def test_a_recipient_holds_a_message_from_a_newer_directory(council: Party, police: Party) -> None:
    """E06: refresh, then hold; never accept against a directory one has not seen."""
    body = sealed_by(council, police, directory=make_directory(council, police, version=2)).body
    outcome = delivered(body, sender=council, recipient=police, directory=make_directory(council, police))
    assert (refusal_code(outcome), getattr(outcome, "detail", "")) == ("E06", "newer directory: refresh, then hold")


@pytest.mark.parametrize("roles", [(), ("gateway",), ("team",), ("nobody",)])
def test_a_reader_with_fewer_keys_never_reads_more(
    roles: tuple[str, ...], body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """M9: no key opens a section that is not sealed to it; no keys open nothing."""
    arrival = delivered(body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    keys = police.keyring.recipient_keys(roles, NOW)
    outcome = open_arrival(arrival, keys=keys, directory=directory)
    assert isinstance(outcome, Refusal) or outcome.sections == {}


def test_an_arrival_restored_from_a_damaged_store_raises_nothing(
    body: bytes, council: Party, police: Party, directory: Directory
) -> None:
    """E99: what nobody foresaw is a value too, without an answer and without content."""
    arrival = delivered(body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    outcome = open_arrival(replace(arrival, body=b"MSE1", frame=None), keys=police.recipient(), directory=directory)
    assert outcome == Refusal("E99", None, "TypeError")
    assert check_arrival(
        None,  # type: ignore[arg-type]  # whatever a caller may do, nothing escapes
        me=police.name, ingress_owner=council.name, lane=Lane.URGENT, has_cc=False, directory=directory, now=NOW,
    ) == Refusal("E99", None, "TypeError")  # fmt: skip
