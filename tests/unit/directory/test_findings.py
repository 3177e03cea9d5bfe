"""What a verifier of evidence says, word for word, and what it does not let pass."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.envelope.sealing import Sealed, Section
from adapters.kit.evidence.bundle import Bundle, Exhibit, OpenedSection, proof_of, proofs_for
from adapters.kit.evidence.findings import verify_bundle
from broker.directory.proof import Archive
from schemas import signing
from schemas.envelope import Frame, read_stub, write_head
from schemas.stub import Event
from tests.support.envelopes import TEXTS, sealed_by
from tests.support.parties import NOW, Party, make_party
from tests.support.registry import Registry
from tests.unit.directory.verifying import AT, World, frame_of, re_signed, shown


def manifest_of(world: World, sealed: Sealed) -> bytes:
    """Give the text of section 0, by the content key that the sender kept."""
    from adapters.kit.evidence.source import texts_of

    return texts_of(frame_of(sealed), sealed.openings)[0]


def with_manifest(exhibit: Exhibit, text: bytes, *, by: Party) -> Exhibit:
    """Commit to another text in section 0 and sign anew: what a sender with software of its own could do."""
    frame, key = read_stub(exhibit.stub), bytes(range(32))
    assert isinstance(frame, Frame)
    head = frame.head
    hashed = signing.core_hash(suite=head.suite, kind=head.kind, core=head.core)
    derived = signing.section_secrets(key, core_hash=hashed, index=0)
    committed = signing.plaintext_commitment(derived.commitment_key, signing.pad(text))
    entry = head.sections[0]._replace(key_commitment=derived.commit, text_commitment=committed)
    written = write_head(head._replace(sections=(entry, *head.sections[1:])))
    section = OpenedSection(index=0, content_key=key, text=text)
    return Exhibit(stub=written + by.sender().sign(written), sections=(section,))


def test_a_court_reads_who_wrote_what_to_whom_and_which_sections_are_proved(world: World) -> None:
    """The author and purpose are said because the manifest is proved; each section is called by its audience."""
    sealed = sealed_by(world.council, world.police, directory=world.directory)
    texts = {index: TEXTS[section] for index, section in enumerate(Section, start=1)}
    (found,) = world.findings(shown(sealed, {0: manifest_of(world, sealed), **texts}))
    assert found.holds
    assert found.sentence == (
        f"testford-la to testford-police: request (REQ) at {AT}, written by coordinator-1 (coordinator), "
        f"stub {sealed.stub_hash.hex()}, sections proved: 0 manifest, 1 team, 2 decision maker, 3 protected"
    )
    assert found.statement is not None
    assert (found.statement.user, found.statement.role, found.statement.purpose) == (
        "coordinator-1",
        "coordinator",
        "mash_enquiry",
    )
    assert dict(found.statement.texts) == {0: manifest_of(world, sealed), **texts}
    assert "Tilly" not in repr(found)


def test_a_bundle_without_exhibits_proves_nothing(world: World) -> None:
    """Empty means no, and it is said."""
    assert [(one.holds, one.sentence) for one in world.findings()] == [
        (False, "the bundle proves nothing: it is empty")
    ]


def test_what_happened_is_said_in_words(world: World) -> None:
    """A court reads "part answer", and beside it the code that was signed."""
    sealed = sealed_by(world.police, world.council, directory=world.directory, event=Event.PART_ANSWER)
    assert f"testford-police to testford-la: part answer (PRT) at {AT}" in world.sentence(shown(sealed, {}))


def test_each_message_is_held_against_the_key_that_signed_it(world: World) -> None:
    """Of a record with two keys, the window and the public half of the right one."""
    first, second = world.council.record.signing
    exhibit = shown(sealed_by(world.council, world.police, directory=world.directory), {})
    moment = datetime.fromtimestamp(first.not_after, UTC)
    head = re_signed(exhibit, by=world.council, kid=second.kid, t=first.not_after, exp=first.not_after + 1)
    frame = read_stub(head.stub)
    assert isinstance(frame, Frame)
    signed = frame.signed + world.council.sender(moment).sign(frame.signed)
    assert world.council.sender(moment).kid == second.kid
    (found,) = world.findings(Exhibit(stub=signed, sections=()))
    assert found.holds, found.sentence


@pytest.mark.parametrize(
    ("index", "change", "reason"),
    [
        (1, {"text": b"another"}, "section 1 is not what was signed"),
        (1, {"content_key": bytes(32)}, "section 1 is not what was signed"),
        (2, {"text": b"another"}, "section 2 is not what was signed"),
        (1, {"content_key": bytes(31)}, "a section that the stub has not"),
        (1, {"content_key": bytes(33)}, "a section that the stub has not"),
        (1, {"index": 4}, "a section that the stub has not"),
        (1, {"index": -1}, "a section that the stub has not"),
        (0, {"index": 1}, "section 1 is not what was signed"),
    ],
)
def test_a_party_changes_what_a_section_said(index: int, change: dict[str, Any], reason: str, world: World) -> None:
    """E18 and E21 without ciphertext: key, text and place are those that were signed, or it is said which is not."""
    sealed = sealed_by(world.council, world.police, directory=world.directory)
    texts = {0: manifest_of(world, sealed), 1: TEXTS[Section.TEAM], 2: TEXTS[Section.DECISION_MAKER]}
    honest = shown(sealed, texts)
    sections = [one.model_copy(update=change) if one.index == index else one for one in honest.sections]
    forged = honest.model_copy(update={"sections": tuple(sections)})
    assert world.sentence(forged).endswith(f": {reason}")
    assert not world.findings(forged)[0].holds


def test_a_sender_puts_another_messages_manifest_into_its_own(world: World) -> None:
    """E22, offline: whoever wrote and for what is said of this message, or of none."""
    sealed, other = (sealed_by(world.council, world.police, directory=world.directory) for _ in range(2))
    texts = {manifest_of(world, sealed): True, manifest_of(world, other): False, b"{}": False, b"": False}
    for text, holds in texts.items():
        (found,) = world.findings(with_manifest(shown(sealed, {}), text, by=world.council))
        assert found.holds is holds
        assert holds or found.sentence.endswith(": the manifest belongs to another message")


def test_an_exhibit_without_the_proof_of_its_key_says_so(world: World) -> None:
    """No proof, no evidence, however good the signature looks."""
    exhibit = shown(sealed_by(world.council, world.police, directory=world.directory), {})
    assert world.sentence(exhibit, proofs=()).endswith(": no proof of the signing key")


def test_a_signature_of_another_key_does_not_hold(world: World) -> None:
    """E09, offline."""
    exhibit = shown(sealed_by(world.council, world.police, directory=world.directory), {})
    forged = re_signed(exhibit, by=world.police)
    assert world.sentence(forged).endswith(": the signature does not hold")


def test_a_key_counts_from_its_first_second_to_its_last(world: World) -> None:
    """E08 as of the day: neither before the key was valid nor from its end on."""
    exhibit = shown(sealed_by(world.council, world.police, directory=world.directory), {})
    (key,) = (one for one in world.council.record.signing if one.kid == world.council.sender().kid)
    times = {key.not_before - 1: False, key.not_before: True, key.not_after - 1: True, key.not_after: False}
    for moment, holds in times.items():
        (found,) = world.findings(re_signed(exhibit, by=world.council, t=moment, exp=moment + 1))
        assert (found.holds, "the signing key was not valid then" in found.sentence) == (holds, not holds)


def test_exhibits_that_are_no_stubs_are_counted_and_the_others_still_read(world: World) -> None:
    """Junk in a bundle hides nothing and is not passed over in silence."""
    exhibit = shown(sealed_by(world.council, world.police, directory=world.directory), {})
    junk = Exhibit(stub=b"no stub", sections=())
    found = world.findings(junk, exhibit, junk)
    assert [(one.holds, one.sentence) for one in found[:2]] == [(False, "an exhibit is no stub")] * 2
    assert [one.holds for one in found] == [False, False, True]
    assert [one.statement is None for one in found] == [True, True, False]


def test_of_two_records_of_a_key_the_one_that_revokes_it_counts(tmp_path: Path) -> None:
    """Whoever brings the older record beside the newer, in whatever order, does not bring the stolen key back."""
    council, police = make_party("testford-la"), make_party("testford-police", kind="police")
    registry = Registry(tmp_path, now=NOW)
    registry.enrol(police, council, now=NOW)
    directory = registry.client("reader").refresh(registry.source, now=NOW).directory
    assert directory is not None
    exhibit = shown(sealed_by(council, police, directory=directory), {})
    (before,) = proofs_for([exhibit], Archive(tmp_path / "reader" / "archive"))
    later, kid = NOW + timedelta(days=1), council.sender().kid  # to the second the margin of SPEC 7.4
    council.keyring.revoke(kid, now=later)
    registry.submit(council, now=later)
    registry.publish(later)
    registry.client("later").refresh(registry.source, now=later)
    kept = [proof for _, proof in Archive(tmp_path / "later" / "archive").proofs(council.name)]
    after = proof_of(council.name, kept[-1])
    pinned = sha256((registry.folder / "metadata" / "1.root.json").read_bytes()).digest()
    verdicts = []
    for proofs in ((before,), (after,), (before, after), (after, before)):
        (found,) = verify_bundle(Bundle(made_at=0, exhibits=(exhibit,), proofs=proofs), pinned=pinned)
        verdicts.append(found.holds)
    assert verdicts == [True, False, False, False]
