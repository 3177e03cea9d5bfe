"""A bundle made to harm its reader, or to prove what never was: each is a finding or a refusal, never a fault."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from typer.testing import CliRunner

from adapters.cli.evidence import app
from adapters.kit.envelope.sealing import Section
from adapters.kit.evidence.bundle import (
    BUNDLE,
    LAST_SECOND,
    MAX_BUNDLE,
    Bundle,
    Exhibit,
    NoBundle,
    exhibit_of,
    proofs_for,
    read_bundle,
    read_exhibit,
    write_bundle,
)
from adapters.kit.evidence.findings import Finding, verify_bundle
from broker.directory.keys import key_of_identity
from broker.directory.proof import Archive
from broker.directory.shelf import role_name
from broker.directory.tuf import CryptoSigner, Metadata, Snapshot
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope, read_stub
from schemas.receipt import Outcome, Receipt, ReceiptKind
from tests.support.envelopes import TEXTS, sealed_by
from tests.support.parties import NOW, Party, make_directory, make_party
from tests.support.registry import Registry
from tests.unit.directory.verifying import LATER, re_signed


def exhibit_for(sender: Party, recipient: Party, directory: Directory, **changes: Any) -> Exhibit:
    sealed = sealed_by(sender, recipient, directory=directory, **changes)
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    return exhibit_of(frame.stub, openings=sealed.openings, texts={1: TEXTS[Section.TEAM]})


def findings(exhibits: list[Exhibit], archive: Archive, pinned: bytes) -> list[Finding]:
    bundle = read_bundle(write_bundle(exhibits, proofs_for(exhibits, archive), now=LATER))
    return list(verify_bundle(bundle, pinned=pinned))


def test_a_party_dates_an_exhibit_beyond_every_calendar(
    council: Party, police: Party, directory: Directory, archive: Archive, pinned: bytes
) -> None:
    """A core allows 2^53 - 1 seconds; a reader that must write a date of it says no instead of falling over."""
    honest = exhibit_for(council, police, directory)
    beyond = re_signed(honest, by=council, t=LAST_SECOND + 1, exp=LAST_SECOND + 2)
    last = re_signed(honest, by=council, t=LAST_SECOND, exp=LAST_SECOND + 1)
    assert (read_exhibit(beyond), read_exhibit(last) is not None) == (None, True)
    found = findings([honest, beyond, last], archive, pinned)
    assert sorted(one.sentence.rpartition(": ")[2] for one in found if not one.holds) == [
        "an exhibit is no stub",
        "the signing key was not valid then",
    ]
    assert sum(one.holds for one in found) == 1


def test_an_agency_signs_something_else_than_its_record_and_calls_it_that(
    police: Party, council: Party, directory: Directory, archive: Archive, pinned: bytes
) -> None:
    """Its identity key is good for metadata of one kind; of another kind it proves nothing, and nothing falls over."""
    (proof,) = proofs_for([exhibit_for(council, police, directory)], archive)
    private = Ed25519PrivateKey.from_private_bytes(council.keyring.identity_seed().reveal())
    other: Metadata[Any] = Metadata(Snapshot(1, expires=LATER))
    other.sign(CryptoSigner(private, key_of_identity(council.record.identity)))
    forged = proof.model_copy(update={"agency": other.to_bytes()})
    bundle = Bundle(made_at=0, exhibits=(exhibit_for(council, police, directory),), proofs=(forged,))
    (found,) = verify_bundle(bundle, pinned=pinned)
    assert "no proof of the signing key" in found.sentence
    assert role_name("testford-la") == "agency-testford-la"


def test_a_small_file_that_becomes_a_huge_one_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A court's machine is not to be filled up: what is packed smaller than it is was not written by us."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(BUNDLE, b" " * 4_000_000)
    assert len(buffer.getvalue()) < 10_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(NoBundle):
        read_bundle(buffer.getvalue())


@pytest.mark.parametrize("extra", [b"\0", b"PK"])
def test_a_party_hides_something_beside_the_bundle(
    extra: bytes, council: Party, police: Party, directory: Directory, archive: Archive
) -> None:
    """One spelling: two readers of one file must not see two things."""
    exhibit = exhibit_for(council, police, directory)
    raw = write_bundle([exhibit], proofs_for([exhibit], archive), now=LATER)
    assert read_bundle(raw).exhibits == (exhibit,)
    for forged in (raw + extra, extra + raw):
        with pytest.raises(NoBundle):
            read_bundle(forged)
    buffer = io.BytesIO(raw)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("more.json", b"{}")
    with pytest.raises(NoBundle):
        read_bundle(buffer.getvalue())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "mash-evidence/2"},
        {"made_at": "yesterday"},
        {"more": 1},
        {"exhibits": [{"stub": 7, "sections": []}]},
        {"exhibits": [{"stub": "A=", "sections": []}]},
        {"exhibits": [{"stub": "AAAA", "sections": [], "more": "Tilly Ashgrove-Test"}]},
        {"proofs": [{"participant": "x"}]},
        {
            "exhibits": [
                {"stub": "AAAA", "sections": [{"index": 1, "content_key": "AAAA", "text": "Tilly Ashgrove-Test"}]}
            ]
        },
    ],
)
def test_a_bundle_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    """Closed and strict, down to the last field; the one exception says that it is no bundle, and shows nothing."""
    plain = {"format": "mash-evidence/1", "made_at": 0, "exhibits": [], "proofs": []} | change
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(BUNDLE, json.dumps(plain))
    with pytest.raises(NoBundle) as refused:
        read_bundle(buffer.getvalue())
    assert str(refused.value) == ""
    assert "Tilly" not in str(refused.value.__cause__)


def test_a_file_larger_than_any_bundle_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """256 MiB, by the size of the file; the bound itself is allowed."""
    assert MAX_BUNDLE == 268_435_456
    raw = write_bundle([], [], now=NOW)
    monkeypatch.setattr("adapters.kit.evidence.bundle.MAX_BUNDLE", len(raw))
    assert read_bundle(raw).made_at == int(NOW.timestamp())
    monkeypatch.setattr("adapters.kit.evidence.bundle.MAX_BUNDLE", len(raw) - 1)
    with pytest.raises(NoBundle):
        read_bundle(raw)


def test_every_machine_writes_the_same_file(
    council: Party, police: Party, directory: Directory, archive: Archive
) -> None:
    """No date, no system and no compression of the writer's: the hash of a bundle can be written into a statement."""
    exhibit = exhibit_for(council, police, directory)
    raw = write_bundle([exhibit], proofs_for([exhibit], archive), now=LATER)
    assert raw == write_bundle([exhibit], proofs_for([exhibit], archive), now=LATER)
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        (entry,) = file.infolist()
    assert (entry.filename, entry.create_system, entry.compress_type) == ("bundle.json", 3, zipfile.ZIP_STORED)
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)


def test_a_bundle_is_not_changed_after_it_was_read_nor_made_of_guesses() -> None:
    """What was verified is what is shown."""
    bundle = read_bundle(write_bundle([], [], now=NOW))
    with pytest.raises(ValidationError):
        bundle.made_at = 0  # type: ignore[misc]  # that is the attack
    with pytest.raises(ValidationError):
        Bundle(made_at="5", exhibits=(), proofs=())  # type: ignore[arg-type]  # that is the fault


def test_a_key_that_nobody_published_has_no_proof(council: Party, directory: Directory, archive: Archive) -> None:
    """It is left out, and the verifier says so later: a bundle without a proof is not a bundle that cannot be made."""
    stranger = make_party("testford-police", kind="police")
    theirs = make_directory(stranger, council, version=directory.version)
    assert proofs_for([exhibit_for(stranger, council, theirs)], archive) == []


def test_findings_come_in_the_order_of_time_and_then_of_the_chain(
    council: Party, police: Party, directory: Directory, archive: Archive, pinned: bytes
) -> None:
    """Whatever order the bundle's maker chose, a reader sees what happened first, first."""
    first = exhibit_for(council, police, directory)
    second = re_signed(first, by=council, seq=2, prev=bytes(range(32)))
    third = re_signed(first, by=council, seq=3, prev=bytes(range(32)), t=int(NOW.timestamp()) + 1)
    frames = [read_stub(one.stub) for one in (first, second, third)]
    hashes = [frame.stub_hash.hex() for frame in frames if isinstance(frame, Frame)]
    found = findings([third, second, first], archive, pinned)
    assert [one.statement.stub_hash for one in found if one.statement] == hashes


def test_a_verifier_shows_what_each_message_says_and_nothing_more(
    council: Party, police: Party, directory: Directory, archive: Archive, pinned: bytes
) -> None:
    """Every field of a statement is that of the signed core; the author is named only where the manifest is proved."""
    sealed = sealed_by(council, police, directory=directory, in_reply_to="A" * 22)
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    bare = exhibit_of(frame.stub, openings=sealed.openings, texts={})
    (found,) = findings([bare], archive, pinned)
    said = found.statement
    assert said is not None
    assert (said.sender, said.recipient, said.event.value, said.at) == ("testford-la", "testford-police", "REQ", NOW)
    assert (said.mid, said.in_reply_to, said.stub_hash) == (sealed.mid, "A" * 22, sealed.stub_hash.hex())
    assert (said.user, said.role, said.purpose, said.receipt, dict(said.texts)) == (None, None, None, None, {})
    assert found.sentence == (
        "testford-la to testford-police: request (REQ) at 2026-11-24 10:12:00 UTC, "
        f"stub {sealed.stub_hash.hex()}, sections proved: none"
    )


def test_a_receipt_is_shown_with_what_it_says_of_which_message() -> None:
    """The words of a receipt are for ever: another implementation, and ten years, have to read them."""
    kinds = {kind.name: kind.value for kind in ReceiptKind}
    assert kinds == {"RECEIVED": "R1", "OPENED": "R2", "DECIDED": "R3"}
    words = "received opened rejected shared part_shared nothing_to_share refused"
    assert [outcome.value for outcome in Outcome] == words.split()
    plain = {"outcome": Outcome.RECEIVED, "original_stub_hash": bytes(32), "seq_seen": 1, "at": NOW}
    written = Receipt(kind=ReceiptKind.RECEIVED, **plain).to_bytes()  # type: ignore[arg-type]  # as named
    assert json.loads(written)["at"] == "2026-11-24T10:12:00Z"


SETTINGS = """
participant = "testford-la"
kind = "la"
hub = "embedded:hub.db"
directory = "reader"
[answers]
contact = "Duty desk"
telephone = "020 7946 0000"
"""


def test_an_agency_verifies_by_the_root_that_it_pinned_itself(
    council: Party, police: Party, directory: Directory, archive: Archive, registry: Registry, tmp_path: Path
) -> None:
    """`mash evidence verify FILE`: the first root of its own chain, however often it was replaced since."""
    registry.stage_root(NOW)
    registry.sign("root", "root-1", "root-2")
    registry.publish(NOW)
    registry.client("reader").refresh(registry.source, now=NOW)
    exhibit = exhibit_for(council, police, directory)
    file = tmp_path / "evidence.zip"
    file.write_bytes(write_bundle([exhibit], proofs_for([exhibit], archive), now=LATER))
    words = ["verify", str(file), "--home", str(tmp_path)]
    assert "adapter.toml is not there" in CliRunner().invoke(app, words).stderr
    (tmp_path / "adapter.toml").write_text(SETTINGS.replace('"reader"', '"nowhere"'))
    assert "name the one that was with --root" in CliRunner().invoke(app, words).stderr
    (tmp_path / "adapter.toml").write_text(SETTINGS)
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, "all 1 exhibits hold" in done.output) == (0, True), done.output
