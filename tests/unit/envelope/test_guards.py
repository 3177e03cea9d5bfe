"""Every check is needed, and every primitive refuses what its attacks are made of."""

import json
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from hashlib import sha512
from typing import Any

import pytest
from nacl.signing import SigningKey

from adapters.kit.envelope import conformance, hybrid, verification
from adapters.kit.envelope.conformance import judge, load_world
from adapters.kit.envelope.manifest import Manifest, UnfitManifest
from adapters.kit.envelope.sealing import Author, Chain, NoCurrentKey, UnfitForSealing
from adapters.kit.envelope.verification import Arrival, Opened, open_arrival
from broker import verify
from broker.verify import is_signed
from schemas import base64url, signing
from schemas.directory import AgencyRecord, Directory, Pair
from tests.support.envelopes import delivered, opened, sealed_by
from tests.support.parties import NOW, Party
from tests.vectors.make import FOLDER

OUTER = [code for code, _, _ in verify.CHECKS]
INNER = [code for code, _ in verification.CHECKS]
# Curve25519 points of low order, of which the KEM must make nothing (RFC 7748, section 6.1).
LOW_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
# Ed25519 public keys of small order: under them one signature covers many messages.
SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


def vectors_of(code: str) -> Mapping[str, Any]:
    return {file.stem: json.loads(file.read_bytes()) for file in FOLDER.glob(f"{code}-*.json")}


@pytest.mark.parametrize("code", OUTER)
def test_an_outer_check_that_is_left_out_is_missed(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Style 18: without the check, one of its own vectors is accepted or refused for another reason."""
    left = tuple((name, answer, check) for name, answer, check in verify.CHECKS if name != code)
    monkeypatch.setattr(verify, "CHECKS", left)
    world = load_world(FOLDER)
    assert not all(judge(name, vector, world=world).holds for name, vector in vectors_of(code).items())


@pytest.mark.parametrize("code", INNER)
def test_an_inner_check_that_is_left_out_is_missed(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for everything sealed."""
    left = tuple((name, check) for name, check in verification.CHECKS if name != code)
    monkeypatch.setattr(verification, "CHECKS", left)
    world = load_world(FOLDER)
    assert not all(judge(name, vector, world=world).holds for name, vector in vectors_of(code).items())


def test_every_vector_is_about_one_rule_and_says_which() -> None:
    """A vector without a clause could not be argued about."""
    names = {conformance.DIRECTORY_FILE, conformance.KEYS_FILE}
    clauses = {json.loads(file.read_bytes())["rule"] for file in FOLDER.glob("*.json") if file.name not in names}
    specification = (FOLDER.parent / "SPEC.md").read_text("utf-8")
    numbered = {line.split(" ")[0] for line in specification.splitlines() if line[:1].isdigit()}
    missing = {clause.removeprefix("SPEC ") for clause in clauses} - numbered - {"9.4", "9.5", "9.10"}
    assert missing == set()


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_partner_publishes_a_prekey_of_low_order(
    point: str, council: Party, police: Party, directory: Directory
) -> None:
    """A key that makes every shared secret the same: nothing is sealed to it, and no exception but ours escapes."""
    record = police.record
    roles = []
    for role in record.roles:
        lattice = (base64url.decode(role.prekeys[0].public) or b"")[:1184]
        weak = role.prekeys[0].model_copy(update={"public": base64url.encode(lattice + bytes.fromhex(point))})
        roles.append(role.model_copy(update={"prekeys": (weak,)}))
    weakened = AgencyRecord.model_validate(record.model_copy(update={"roles": tuple(roles)}).model_dump())
    pair = Pair(sender=council.name, recipient=police.name)
    with pytest.raises(NoCurrentKey):
        sealed_by(council, police, directory=Directory.build(1, [council.record, weakened], [pair]), now=NOW)


@pytest.mark.parametrize("public", ["", "AAAA", "A" * 1622, "!" * 1622, "_" * 1621 + "w"])
def test_a_prekey_that_is_none_is_unusable(public: str) -> None:
    """Whatever stands in a record, `UnusableKey` is what comes of it."""
    with pytest.raises(hybrid.UnusableKey):
        hybrid.wrap(bytes(32), public=public, info=b"")


def test_the_vector_registers_are_given_back_after_every_wrap_and_unwrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left in use by HPKE they slow the next one down by an eighth; a hash of nothing clears them, and only it does."""
    cleared: list[bytes] = []

    def observed(text: bytes) -> object:
        cleared.append(text)
        return sha512(text)

    monkeypatch.setattr(hybrid, "sha512", observed)
    secret, public = hybrid.generate()
    sealed = hybrid.wrap(bytes(32), public=base64url.encode(public), info=b"")
    assert cleared == [b""]
    assert hybrid.unwrap(sealed, private=hybrid.load_private(secret), info=b"") == bytes(32)
    assert cleared == [b"", b""]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_signing_key_of_small_order_signs_nothing(point: str) -> None:
    """Under such a key the signature of zeros would cover many texts."""
    public = base64url.encode(bytes.fromhex(point))
    for nonce in SMALL_ORDER:
        assert not is_signed(b"any text", signature=bytes.fromhex(nonce) + bytes(32), public=public)


def test_a_signature_is_bound_to_its_label() -> None:
    """PAE: a signature over the same bytes without the label, or under another, is none of ours."""
    key = SigningKey.generate()
    public = base64url.encode(bytes(key.verify_key))
    assert is_signed(b"head", signature=key.sign(signing.signed_message(b"head")).signature, public=public)
    for other in (b"head", signing.pae("core", b"head"), signing.pae("env", b"he", b"ad")):
        assert not is_signed(b"head", signature=key.sign(other).signature, public=public)
    assert not is_signed(b"head", signature=bytes(63), public=public)
    assert not is_signed(b"head", signature=bytes(64), public="not a key")


def test_no_two_lists_of_parts_are_encoded_alike() -> None:
    """PAE is injective: moving a boundary between parts changes the bytes."""
    lists = [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc")]
    assert len({signing.pae("x", *parts) for parts in lists}) == len(lists)


def test_the_secrets_of_a_section_belong_to_it_and_its_envelope_alone() -> None:
    """Another key, core or place gives other values, and the three differ from each other."""
    base = signing.section_secrets(bytes(32), core_hash=bytes(32), index=1)
    others = [
        signing.section_secrets(b"\1" * 32, core_hash=bytes(32), index=1),
        signing.section_secrets(bytes(32), core_hash=b"\1" * 32, index=1),
        signing.section_secrets(bytes(32), core_hash=bytes(32), index=2),
    ]
    values = [value for one in (base, *others) for value in (one.commit, one.aead_key, one.commitment_key)]
    assert len(set(values)) == 12


def test_padding_hides_lengths_at_a_cost_of_an_eighth() -> None:
    """SPEC 4.8: below 2 KiB every length looks alike; above, at most an eighth is added."""
    assert {signing.padded_size(length) for length in range(2045)} == {2048}
    for length in (2045, 3000, 4096, 20_000, 100_000, 1_000_000):
        padded = signing.padded_size(length)
        assert length + 4 <= padded <= (length + 4) * 1.125
        assert signing.unpad(signing.pad(bytes(length))) == bytes(length)
    assert len({signing.padded_size(length) for length in range(0, 1_000_000, 7)}) < 256


@pytest.mark.parametrize("text", ["A", "AAAAA", "AB", "AAB", "A=", "AA==", "A A", "AA\n", "+A", "/A", "é"])
def test_a_second_spelling_is_refused(text: str) -> None:
    """SPEC 2.4: otherwise one message would have two names."""
    assert base64url.decode(text) is None


def test_the_one_spelling_is_read_back() -> None:
    """Every length, and the size if one is asked for."""
    for length in range(70):
        raw = bytes(range(length))
        assert base64url.decode(base64url.encode(raw)) == raw
        assert base64url.decode(base64url.encode(raw), size=length) == raw
        assert base64url.decode(base64url.encode(raw), size=length + 1) is None


def test_a_log_that_prints_an_arrival_shows_none_of_its_bytes(
    council: Party, police: Party, directory: Directory
) -> None:
    """A9: neither the body nor its parts stand in the printed form, which ends up in tracebacks."""
    sealed = sealed_by(council, police, directory=directory)
    arrival = delivered(sealed.body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    printed = repr(arrival) + repr(sealed)
    assert "ciphertexts" not in printed
    assert "MSE1" not in printed


def test_an_arrival_that_was_kept_is_the_one_that_came(council: Party, police: Party, directory: Directory) -> None:
    """Read from the store again it has no parts yet; the stub, its hash and the bytes are what it is."""
    sealed = sealed_by(council, police, directory=directory)
    arrival = delivered(sealed.body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    kept = Arrival(arrival.stub, arrival.stub_hash, arrival.body)
    assert (kept == arrival, kept.frame) == (True, None)
    assert open_arrival(kept, keys=police.recipient(), directory=directory) == open_arrival(
        arrival, keys=police.recipient(), directory=directory
    )


@pytest.mark.parametrize("chain", [Chain(1, b"\1" * 32), Chain(2, bytes(32))])
def test_a_sender_does_not_sign_a_chain_that_every_recipient_refuses(
    chain: Chain, council: Party, police: Party, directory: Directory
) -> None:
    """E03: the first of a chain, and no other, follows nothing; it is said before anything is signed."""
    with pytest.raises(UnfitForSealing, match="chain"):
        sealed_by(council, police, directory=directory, chain=chain)


def test_a_sender_keeps_the_content_key_of_every_section(council: Party, police: Party, directory: Directory) -> None:
    """SPEC 11.1: without them nobody could prove the text after the prekeys are erased."""
    sealed = sealed_by(council, police, directory=directory)
    kept = opened(sealed.body, sender=council, recipient=police, directory=directory)
    assert isinstance(kept, Opened)
    assert len(sealed.openings) == 4 * 33
    assert sealed.openings == kept.openings


def test_a_manifest_that_was_checked_cannot_be_changed_and_shows_nobody_in_an_error(
    council: Party, police: Party, directory: Directory
) -> None:
    """E22 holds for what is read later; a refused author's name does not reach a log (SEC-02)."""
    sealed = sealed_by(council, police, directory=directory)
    arrival = delivered(sealed.body, sender=council, recipient=police, directory=directory)
    assert isinstance(arrival, Arrival)
    manifest = Manifest.of(arrival.stub, author=Author("somebody", "coordinator"), purpose="p", sections=(1,))
    with pytest.raises(FrozenInstanceError):
        manifest.user = "somebody-else"  # type: ignore[misc]  # that is the attack
    with pytest.raises(UnfitManifest) as refused:
        Manifest.of(arrival.stub, author=Author("Tilly\0", "coordinator"), purpose="p", sections=(1,))
    assert "Tilly" not in str(refused.value)
    with pytest.raises(UnfitManifest):
        Manifest.of(arrival.stub, author=Author("a", "b_c"), purpose="p", sections=("1",))  # type: ignore[arg-type]  # so
