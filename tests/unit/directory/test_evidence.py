"""Evidence as a court would check it: a root fingerprint, one file, no network, every key long expired."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.evidence import app
from adapters.kit.envelope.receipting import seal_receipt
from adapters.kit.envelope.sealing import Section, new_thread
from adapters.kit.evidence.bundle import (
    Bundle,
    Exhibit,
    NoBundle,
    OpenedSection,
    Proof,
    exhibit_of,
    proofs_for,
    read_bundle,
    write_bundle,
)
from adapters.kit.evidence.findings import verify_bundle
from adapters.kit.keys.secrets import SecretBytes
from broker.directory.proof import Archive
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope
from schemas.receipt import Outcome, Receipt, ReceiptKind
from tests.support.envelopes import FIRST, TEXTS, sealed_by
from tests.support.parties import NOW, Party
from tests.support.registry import Registry
from tests.unit.directory.verifying import LATER, shown


@pytest.fixture
def exhibit(council: Party, police: Party, directory: Directory) -> Exhibit:
    sealed = sealed_by(council, police, directory=directory)
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    return exhibit_of(frame.stub, openings=sealed.openings, texts={1: TEXTS[Section.TEAM]})


@pytest.fixture
def bundle(exhibit: Exhibit, archive: Archive) -> Bundle:
    return read_bundle(write_bundle([exhibit], proofs_for([exhibit], archive), now=LATER))


def faults(bundle: Bundle, pinned: bytes) -> list[str]:
    return [finding.sentence for finding in verify_bundle(bundle, pinned=pinned) if not finding.holds]


def test_a_court_verifies_a_text_ten_years_on(bundle: Bundle, pinned: bytes) -> None:
    """M10: every file of the proof has expired, and the proof holds."""
    (finding,) = verify_bundle(bundle, pinned=pinned)
    assert finding.holds
    assert "testford-la to testford-police: request (REQ) at 2026-11-24 10:12:00 UTC" in finding.sentence
    assert "sections proved: 1 team" in finding.sentence


def test_a_party_changes_one_letter_of_the_text(bundle: Bundle, pinned: bytes) -> None:
    """E21 without ciphertext: the commitment was signed."""
    (exhibit,) = bundle.exhibits
    (section,) = exhibit.sections
    changed = section.model_copy(update={"text": section.text.replace(b"Tilly", b"Milly")})
    forged = bundle.model_copy(update={"exhibits": (exhibit.model_copy(update={"sections": (changed,)}),)})
    assert "section 1 is not what was signed" in faults(forged, pinned)[0]


def test_a_party_invents_a_content_key_or_a_section(bundle: Bundle, pinned: bytes) -> None:
    """E18: another key, or a section that the stub has not."""
    (exhibit,) = bundle.exhibits
    (section,) = exhibit.sections
    for change in ({"content_key": bytes(32)}, {"content_key": b"short"}, {"index": 7}, {"index": 2}, {"index": -1}):
        invented = section.model_copy(update=change)
        forged = bundle.model_copy(update={"exhibits": (exhibit.model_copy(update={"sections": (invented,)}),)})
        assert len(faults(forged, pinned)) == 1


def test_a_party_changes_the_stub(bundle: Bundle, pinned: bytes) -> None:
    """E09 offline: who, when and to whom are signed."""
    (exhibit,) = bundle.exhibits
    forged = exhibit.model_copy(update={"stub": exhibit.stub.replace(b'"urgent"', b'"urgenT"')})
    assert faults(bundle.model_copy(update={"exhibits": (forged,)}), pinned) == ["an exhibit is no stub"]
    forged = exhibit.model_copy(update={"stub": exhibit.stub.replace(b'"amber"', b'"green"')})
    assert "the signature does not hold" in faults(bundle.model_copy(update={"exhibits": (forged,)}), pinned)[0]


def test_a_party_brings_a_directory_of_its_own(
    exhibit: Exhibit, pinned: bytes, tmp_path: Path, council: Party, police: Party
) -> None:
    """A proof that begins at another root proves nothing, whatever it says."""
    (tmp_path / "forged").mkdir()
    forged = Registry(tmp_path / "forged", now=NOW)
    forged.enrol(council, police, now=NOW)
    forged.client("reader").refresh(forged.source, now=NOW)
    proofs = proofs_for([exhibit], Archive(tmp_path / "forged" / "reader" / "archive"))
    assert len(proofs) == 1
    bundle = read_bundle(write_bundle([exhibit], proofs, now=LATER))
    assert "no proof of the signing key" in faults(bundle, pinned)[0]


@pytest.mark.parametrize("part", ["targets", "agency", "record", "roots"])
def test_a_party_changes_a_file_of_the_proof(part: str, bundle: Bundle, pinned: bytes) -> None:
    """Each link of the chain is verified: root, registrar, agency, record."""
    (proof,) = bundle.proofs
    value = getattr(proof, part)
    broken = (
        tuple(one[:-3] + b" }\n" for one in value) if part == "roots" else value.replace(b"testford", b"testfard", 1)
    )
    forged = bundle.model_copy(update={"proofs": (proof.model_copy(update={part: broken}),)})
    assert "no proof of the signing key" in faults(forged, pinned)[0]


def test_a_proof_of_one_agency_does_not_prove_anothers_key(bundle: Bundle, pinned: bytes) -> None:
    """The delegation is by name."""
    (proof,) = bundle.proofs
    forged = bundle.model_copy(update={"proofs": (proof.model_copy(update={"participant": "testford-police"}),)})
    assert "no proof of the signing key" in faults(forged, pinned)[0]


def test_a_proof_walks_through_every_root_since_the_pinned_one(
    registry: Registry, exhibit: Exhibit, pinned: bytes, tmp_path: Path, council: Party
) -> None:
    """Roots change in ten years; the chain from the pinned one is kept with each proof, and a gap in it is noticed."""
    client = registry.client("walker")
    for _ in range(2):
        registry.stage_root(NOW)
        registry.sign("root", "root-1", "root-2")
        registry.publish(NOW)
    client.refresh(registry.source, now=NOW)
    (proof,) = proofs_for([exhibit], Archive(tmp_path / "walker" / "archive"))
    assert len(proof.roots) == 3
    whole = Bundle(made_at=0, exhibits=(exhibit,), proofs=(proof,))
    assert faults(whole, pinned) == []
    gap = Proof.model_validate({**proof.model_dump(), "roots": (proof.roots[0], proof.roots[2])})
    assert len(faults(whole.model_copy(update={"proofs": (gap,)}), pinned)) == 1


def test_a_message_signed_after_the_revocation_is_no_evidence(
    registry: Registry, council: Party, police: Party, pinned: bytes, tmp_path: Path, directory: Directory
) -> None:
    """A stolen key forges evidence: the record that revokes it is the one that is kept with the proof."""
    sealed = sealed_by(council, police, directory=directory)
    council.keyring.revoke(council.sender().kid, now=NOW + timedelta(hours=1))
    registry.submit(council, now=NOW + timedelta(hours=1))
    registry.publish(NOW + timedelta(hours=1))
    registry.client("later").refresh(registry.source, now=NOW + timedelta(hours=1))
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    exhibit = Exhibit(stub=frame.stub, sections=())
    proofs = proofs_for([exhibit], Archive(tmp_path / "later" / "archive"))
    bundle = Bundle(made_at=0, exhibits=(exhibit,), proofs=tuple(proofs))
    assert "the signing key was not valid then" in faults(bundle, pinned)[0]


def test_an_empty_bundle_proves_nothing(pinned: bytes) -> None:
    """Empty means no."""
    empty = read_bundle(write_bundle([], [], now=NOW))
    assert faults(empty, pinned) == ["the bundle proves nothing: it is empty"]


@pytest.mark.parametrize("raw", [b"", b"PK", b"{}", bytes(100)])
def test_a_file_that_is_no_bundle_is_refused(raw: bytes) -> None:
    """No exception but the one that says so."""
    with pytest.raises(NoBundle):
        read_bundle(raw)


def test_a_section_without_its_text_is_left_out(exhibit: Exhibit) -> None:
    """A content key alone proves nothing and is not handed out."""
    bare = exhibit_of(exhibit.stub, openings=SecretBytes(b"\1" + bytes(32)), texts={})
    assert bare.sections == ()
    assert OpenedSection.model_fields.keys() == {"index", "content_key", "text"}


def test_a_verifier_needs_the_file_and_the_root_and_nothing_else(
    bundle: Bundle, registry: Registry, tmp_path: Path
) -> None:
    """`mash evidence verify FILE` without an adapter, a store or a key."""
    file, root = tmp_path / "evidence.zip", registry.folder / "metadata" / "1.root.json"
    file.write_bytes(write_bundle(bundle.exhibits, bundle.proofs, now=LATER))
    done = CliRunner().invoke(app, ["verify", str(file), "--root", str(root)])
    assert done.exit_code == 0, done.output
    assert "holds  testford-la to testford-police" in done.output
    other = tmp_path / "other.json"
    other.write_text(json.dumps({}))
    refused = CliRunner().invoke(app, ["verify", str(file), "--root", str(other)])
    assert (refused.exit_code, "FAILS" in refused.output) == (1, True)
    assert "Tilly" not in done.output


def test_a_sender_cannot_give_itself_the_receipt(
    council: Party, police: Party, directory: Directory, archive: Archive, pinned: bytes
) -> None:
    """M10: only the recipient's own receipt counts, whoever else knows the stub's hash."""
    for sender, holds in ((council, True), (police, False)):
        recipient = police if sender is council else council
        sent = sealed_by(sender, recipient, directory=directory)
        plain = {"outcome": Outcome.RECEIVED, "original_stub_hash": sent.stub_hash, "seq_seen": 1, "at": NOW}
        receipt = Receipt(kind=ReceiptKind.RECEIVED, **plain)  # type: ignore[arg-type]  # as named
        names = {"recipient": council.name, "thread": new_thread(), "in_reply_to": sent.mid}
        around = {"keys": police.sender(), "directory": directory, "chain": FIRST, "now": NOW}
        given = seal_receipt(receipt, **names, **around)  # type: ignore[arg-type]  # as named
        both = (shown(sent, {}), shown(given, {1: receipt.to_bytes()}))
        bundle = Bundle(made_at=0, exhibits=both, proofs=tuple(proofs_for(both, archive)))
        faulty = [one.sentence for one in verify_bundle(bundle, pinned=pinned) if not one.holds]
        assert [sentence for sentence in faulty if "somebody else than the recipient" not in sentence] == []
        assert (faulty == []) is holds
