"""What a verifier of evidence says, word for word, and what it does not let pass; made once, because keys are slow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.envelope.sealing import Sealed, Section
from adapters.kit.evidence.bundle import Bundle, Exhibit, OpenedSection, Proof, exhibit_of, proof_of, proofs_for
from adapters.kit.evidence.findings import Finding, verify_bundle
from broker.directory.proof import Archive
from schemas import signing
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope, read_stub, write_head
from schemas.receipt import Outcome, Receipt, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Event, Stub, read_core, write_core
from tests.support.envelopes import TEXTS, sealed_by
from tests.support.parties import NOW, Party, make_party
from tests.support.registry import Registry

AT = "2026-11-24 10:12:00 UTC"


@dataclass(frozen=True)
class World:
    """A council and a police force, what they published, and the root that a verifier was given."""

    council: Party
    police: Party
    registry: Registry
    directory: Directory
    archive: Archive
    pinned: bytes

    def findings(self, *exhibits: Exhibit, proofs: tuple[Proof, ...] | None = None) -> list[Finding]:
        given = tuple(proofs_for(exhibits, self.archive)) if proofs is None else proofs
        return list(verify_bundle(Bundle(made_at=0, exhibits=exhibits, proofs=given), pinned=self.pinned))

    def sentence(self, *exhibits: Exhibit, proofs: tuple[Proof, ...] | None = None) -> str:
        (found,) = self.findings(*exhibits, proofs=proofs)
        return found.sentence


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("findings")
    council, police = make_party("testford-la", weeks=14), make_party("testford-police", kind="police")
    registry = Registry(folder, now=NOW)
    registry.enrol(police, council, now=NOW)
    directory = registry.client("reader").refresh(registry.source, now=NOW).directory
    assert directory is not None
    pinned = sha256((registry.folder / "metadata" / "1.root.json").read_bytes()).digest()
    return World(council, police, registry, directory, Archive(folder / "reader" / "archive"), pinned)


def frame_of(sealed: Sealed) -> Frame:
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    return frame


def shown(sealed: Sealed, texts: Mapping[int, bytes]) -> Exhibit:
    return exhibit_of(frame_of(sealed).stub, openings=sealed.openings, texts=texts)


def manifest_of(world: World, sealed: Sealed) -> bytes:
    """Give the text of section 0, by the content key that the sender kept."""
    from adapters.kit.evidence.source import texts_of

    return texts_of(frame_of(sealed), sealed.openings)[0]


def re_signed(exhibit: Exhibit, *, by: Party, **changes: Any) -> Exhibit:
    """Write other fields into the core and sign anew, as only the holder of the key could."""
    frame = read_stub(exhibit.stub)
    assert isinstance(frame, Frame)
    stub = read_core(frame.head.core)
    assert isinstance(stub, Stub)
    head = write_head(frame.head._replace(core=write_core(replace(stub, **changes))))
    return Exhibit(stub=head + by.sender().sign(head), sections=())


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


def receipt_for(original: Sealed, **changes: Any) -> Receipt:
    plain: dict[str, Any] = {"kind": ReceiptKind.RECEIVED, "outcome": Outcome.RECEIVED, "seq_seen": 1, "at": NOW}
    return Receipt(**{**plain, "original_stub_hash": original.stub_hash, **changes})


def sealed_receipt(world: World, text: bytes, *, by: Party | None = None) -> Sealed:
    sender = by or world.police
    to = world.council if sender is world.police else world.police
    around: dict[str, Any] = {"event": Event.RECEIPT, "lane": Lane.RECEIPT, "service_class": "receipt"}
    return sealed_by(sender, to, directory=world.directory, sections={Section.TEAM: text}, **around)


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
