"""Evidence of a whole enquiry: exported by command from two real adapters, verified offline ten years on.

The area is made and the round is run once; the tests look at the two bundles.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.kit.evidence.bundle import NoBundle, read_bundle
from adapters.kit.evidence.findings import Finding, verify_bundle
from deploy.demo.agencies import COUNCIL
from schemas import base64url
from tests.integration.commands.office import HOUSING
from tests.integration.commands.program import NAMES, Ran, is_a_plain_no, mash
from tests.integration.commands.signed_area import SignedArea, make_signed_area, offline

pytestmark = [pytest.mark.xdist_group("commands"), pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Exported:
    """An enquiry that was asked and answered, and each side's bundle of it."""

    area: SignedArea
    rfi: str
    council: Path
    housing: Path

    def verified(self, file: Path, *more: str) -> Ran:
        """Verify a bundle ten years on, in an empty folder, with the root and nothing else."""
        empty = self.area.folder / "court"
        empty.mkdir(exist_ok=True)
        return offline("evidence", "verify", str(file), "--root", str(self.area.root), *more, folder=empty)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Ask, answer, export at both ends; then erase every key whose window has passed, ten years on."""
    area = make_signed_area(tmp_path_factory.mktemp("signed"))
    rfi = area.round()
    council, housing = area.folder / "council.zip", area.folder / "housing.zip"
    area.at_council("evidence", "export", "ENQ-1", "--out", str(council))
    area.at_housing("evidence", "export", rfi, "--out", str(housing))
    for name in (COUNCIL, HOUSING):
        gone = offline("keys", "erase-expired", "--home", str(area.folder / name), "--json", folder=area.folder)
        assert gone.json["erased"] > 0, gone
    return Exported(area, rfi, council, housing)


def test_an_auditor_reads_who_asked_and_answered_what_and_when_ten_years_on(exported: Exported) -> None:
    """Every key has expired and is erased, nobody is asked, and each side's file says the same of the other."""
    for file in (exported.council, exported.housing):
        ran = exported.verified(file, "--json")
        assert (ran.code, ran.err) == (0, ""), ran
        said = ran.json
        assert said["holds"] is True
        asked = next(one for one in said["findings"] if one["event"] == "REQ")
        answered = next(one for one in said["findings"] if one["event"] == "ANS")
        assert (asked["from"], asked["to"], asked["user"]) == (COUNCIL, HOUSING, "p-example")
        assert (answered["from"], answered["to"], answered["user"]) == (HOUSING, COUNCIL, "housing-lead")
        assert (answered["in_reply_to"], answered["thread"]) == (asked["mid"], asked["thread"])
        assert asked["at"] <= answered["at"]
        assert not [name for name in NAMES if name in ran.out]


def test_a_bundle_holds_the_other_sides_receipts_of_what_was_said(exported: Exported) -> None:
    """Whoever asked can prove that it arrived and was opened: receipts name the stub's hash (SPEC 11.3)."""
    findings = exported.verified(exported.council, "--json").json["findings"]
    asked = next(one for one in findings if one["event"] == "REQ")
    receipts = [one["receipt"] for one in findings if one["event"] == "RCP" and one["from"] == HOUSING]
    assert {"R1", "R2"} <= {receipt["kind"] for receipt in receipts}
    hashes = {_hex(receipt["original_stub_hash"]) for receipt in receipts}
    assert asked["stub"] in hashes


def test_a_court_reads_the_very_texts_that_are_proved(exported: Exported, tmp_path: Path) -> None:
    """What was asked and answered stands in files of the court's own, for its eyes only."""
    folder = tmp_path / "texts"
    ran = exported.verified(exported.council, "--texts", str(folder))
    assert ran.code == 0, ran
    texts = {path.name: path.read_bytes() for path in folder.iterdir()}
    asked = next(text for name, text in texts.items() if name.endswith("-REQ-1.json"))
    answered = next(text for name, text in texts.items() if name.endswith("-ANS-1.json"))
    assert (json.loads(asked)["rfi"]["rfi"], json.loads(answered)["rfi"]) == (exported.rfi, exported.rfi)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not [name for name in texts if name.endswith(("-2.json", "-3.json"))]


def test_a_bundle_with_any_byte_changed_is_no_bundle(exported: Exported) -> None:
    """A flipped bit anywhere in the file: in the zip's own records, in the texts, in the proofs."""
    raw = exported.council.read_bytes()
    ends = (*range(120), *range(len(raw) - 160, len(raw)))
    for place in (*ends, *range(120, len(raw), max(1, len(raw) // 400))):
        changed = raw[:place] + bytes([raw[place] ^ 0x01]) + raw[place + 1 :]
        with pytest.raises(NoBundle):
            read_bundle(changed)
    for other in (raw[:-1], raw + b"\0", b"\0" + raw, b""):
        with pytest.raises(NoBundle):
            read_bundle(other)


def test_a_forger_who_packs_a_changed_bundle_anew_proves_nothing_else(exported: Exported) -> None:
    """Whatever letter is changed in the file's inside: it is refused, fails, or still says the same sentences."""
    root, content = exported.area.root.read_bytes(), _content(exported.council)
    sound = {finding.sentence for finding in verify_bundle(read_bundle(_packed(content)), pinned=_hash(root))}
    for place in range(40, len(content), max(1, len(content) // 250)):
        letter = b"B" if content[place : place + 1] != b"B" else b"C"
        for finding in _findings(content[:place] + letter + content[place + 1 :], root):
            assert not finding.holds or finding.sentence in sound, place


def test_the_command_refuses_a_changed_bundle_and_a_bundle_of_another_registrar(
    exported: Exported, tmp_path: Path
) -> None:
    """Exit code 1, and no text is written."""
    raw = bytearray(exported.council.read_bytes())
    raw[len(raw) // 2] ^= 1
    damaged, other = tmp_path / "damaged.zip", tmp_path / "root.json"
    damaged.write_bytes(raw)
    is_a_plain_no(exported.verified(damaged))
    other.write_bytes(exported.area.root.read_bytes() + b"\n")
    ran = offline("evidence", "verify", str(exported.council), "--root", str(other), folder=tmp_path)
    assert (ran.code, "FAIL" in ran.out, "no proof of the signing key" in ran.out) == (1, True, True)


def test_evidence_is_still_exported_when_every_prekey_is_gone(exported: Exported, tmp_path: Path) -> None:
    """The content keys of what was sent and opened are kept: the export does not need the keys that opened it."""
    out, home = tmp_path / "later.zip", str(exported.area.folder / COUNCIL)
    words = ("--home", home, "--user", "p-example")
    ran = offline("evidence", "export", "ENQ-1", "--out", str(out), *words, folder=tmp_path)
    assert ran.code == 0, ran
    assert _texts(out) == _texts(exported.council)


def test_nobody_exports_evidence_without_a_name_that_is_written_down(exported: Exported, tmp_path: Path) -> None:
    """REC-05: an export opens content; somebody who is no user here gets nothing."""
    home = exported.area.folder / COUNCIL
    out = tmp_path / "stolen.zip"
    is_a_plain_no(mash("evidence", "export", "ENQ-1", "--out", str(out), home=home, user="nobody"))
    is_a_plain_no(mash("evidence", "export", "ENQ-404", "--out", str(out), home=home))
    assert not out.exists()


def _hex(text: str) -> str:
    return (base64url.decode(text) or b"").hex()


def _hash(root: bytes) -> bytes:
    return sha256(root).digest()


def _content(file: Path) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read("bundle.json")


def _packed(content: bytes) -> bytes:
    """Pack as a forger would who knows the format: every checksum made anew."""
    buffer, entry = io.BytesIO(), zipfile.ZipInfo("bundle.json")
    entry.create_system = 3
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, content)
    return buffer.getvalue()


def _findings(content: bytes, root: bytes) -> Iterator[Finding]:
    try:
        bundle = read_bundle(_packed(content))
    except NoBundle:
        return
    yield from verify_bundle(bundle, pinned=_hash(root))


def _texts(file: Path) -> set[bytes]:
    return {section.text for exhibit in read_bundle(file.read_bytes()).exhibits for section in exhibit.sections}
