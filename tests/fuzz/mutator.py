"""Changes an envelope where it matters: one part is altered and everything that vouches for it is made anew.

A blind change of any byte ends at the signature. Here the sender itself is hostile: it alters a field of the core, a
row, a wrap or a text inside, then hashes, commits and signs as if nothing had happened, so that runs reach E03 to E22.
What is altered is left to libFuzzer, which is told by coverage what was worth altering.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from typing import Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_encrypt
from nacl.exceptions import CryptoError

from adapters.kit.envelope import hybrid
from adapters.kit.envelope.conformance import World
from schemas import signing
from schemas.envelope import NONCE_LENGTH, Frame, Head, Malformed, SectionEntry, Wrap, read_envelope, write_head
from schemas.stub import BadCore, read_core
from tests.vectors.world import DAY, SENDER, T, signing_pair
from tests.vectors.writer import core_fields

Alter = Callable[[bytes], bytes]
MANIFEST: Final = 0
BLIND: Final = 0.25  # the share of changes that nobody signs
_NUMBERS: Final = (-1, 0, 2, 2**31, 2**53 - 1, 2**53, T - 1, T + 15 * DAY)
_VALUES: Final = (*core_fields().values(), *_NUMBERS, "", "testford-education", "receipt", "HB", "RCP", "A" * 43)


def _signed(head: Head, ciphertexts: tuple[bytes, ...]) -> bytes:
    raw = write_head(head)
    signature = signing_pair(SENDER).sign(signing.signed_message(raw)).signature
    return b"".join((raw, signature, *ciphertexts))


def _another_core(frame: Frame, alter: Alter, dice: random.Random) -> bytes:
    try:
        fields = json.loads(frame.head.core)
        fields[dice.choice(tuple(fields))] = dice.choice(_VALUES)
        core = json.dumps(fields, separators=(",", ":")).encode()
    except (ValueError, TypeError, IndexError, RecursionError):
        core = alter(frame.head.core)
    return _signed(frame.head._replace(core=core if dice.random() < 0.7 else alter(core)), frame.ciphertexts)


def _another_row(frame: Frame, alter: Alter, dice: random.Random) -> bytes:
    rows = list(frame.head.sections)
    number, column = dice.randrange(len(rows)), dice.randrange(3)
    place, length, *hashes = rows[number]
    hashes[column] = alter(hashes[column])[:32].ljust(32, b"\0")
    rows[number] = SectionEntry(place, length, *hashes)
    return _signed(frame.head._replace(sections=tuple(rows)), frame.ciphertexts)


def _another_wrap(frame: Frame, alter: Alter, dice: random.Random) -> bytes:
    wraps = list(frame.head.wraps)
    number, part = dice.randrange(len(wraps)), dice.randrange(3)
    section, *parts = wraps[number]
    changed = alter(parts[part])
    parts[part] = changed[:0xFFFF] if part == 2 else changed[:16].ljust(16, b"\0")
    wraps[number] = Wrap(section, *parts)
    if dice.random() < BLIND:
        dice.shuffle(wraps)
    return _signed(frame.head._replace(wraps=tuple(wraps)), frame.ciphertexts)


def _another_ciphertext(frame: Frame, alter: Alter, dice: random.Random) -> bytes:
    place = dice.randrange(len(frame.ciphertexts))
    return _with_section(frame, place, alter(frame.ciphertexts[place]), None)


def _with_section(frame: Frame, place: int, ciphertext: bytes, committed: bytes | None) -> bytes:
    rows, ciphertexts = list(frame.head.sections), list(frame.ciphertexts)
    text = rows[place].text_commitment if committed is None else committed
    hashed = sha256(ciphertext).digest()
    rows[place] = rows[place]._replace(length=len(ciphertext), digest=hashed, text_commitment=text)
    ciphertexts[place] = ciphertext
    return _signed(frame.head._replace(sections=tuple(rows)), tuple(ciphertexts))


@dataclass(frozen=True)
class Inside:
    """One section with the secrets that seal it: a hostile sender has them all."""

    place: int
    secrets: signing.SectionSecrets
    binding: bytes
    padded: bytes

    def sealed_again(self, frame: Frame, padded: bytes) -> bytes:
        """Give the envelope with another padded text in this section, committed to and signed."""
        nonce = bytes(NONCE_LENGTH)
        ciphertext = nonce + aead_encrypt(padded, self.binding, nonce, self.secrets.aead_key)
        committed = signing.plaintext_commitment(self.secrets.commitment_key, padded)
        return _with_section(frame, self.place, ciphertext, committed)


def _another_manifest(text: bytes, alter: Alter, dice: random.Random) -> bytes:
    try:
        fields = json.loads(text)
        fields[dice.choice(tuple(fields))] = dice.choice((*_VALUES, [], [0], [1, 2], [2, 1], "coordinator"))
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, TypeError, IndexError, RecursionError):
        return alter(text)


class Mutator:
    """libFuzzer's custom mutator for whole envelopes; `alter` changes a piece as libFuzzer would."""

    def __init__(self, world: World, alter: Callable[[bytes, int], bytes]) -> None:
        self._alter = alter
        self._inside = lru_cache(maxsize=4096)(partial(_inside, world))

    def __call__(self, raw: bytes, max_size: int, seed: int) -> bytes:
        """Give another envelope, no longer than `max_size`."""
        dice = random.Random(seed)  # noqa: S311  # repeatable changes, not secrets
        frame = read_envelope(raw)
        if isinstance(frame, Malformed) or dice.random() < BLIND:
            return self._alter(raw, max_size)
        ways = (_another_core, _another_row, _another_wrap, _another_ciphertext, self._another_text, self._another_text)
        return dice.choice(ways)(frame, self._piece, dice)[:max_size]

    def _piece(self, raw: bytes) -> bytes:
        return self._alter(raw or b"\0", len(raw) + 16)

    def _another_text(self, frame: Frame, alter: Alter, dice: random.Random) -> bytes:
        """Seal another text, or another padding, under the content key of the wrap that is there."""
        place = dice.choice((MANIFEST, dice.randrange(len(frame.ciphertexts))))
        inside = self._inside(frame.head, frame.ciphertexts[place], place)
        if inside is None:
            return _another_ciphertext(frame, alter, dice)
        text = signing.unpad(inside.padded)
        if text is None or dice.random() < BLIND:
            return inside.sealed_again(frame, alter(inside.padded))
        by_field = place == MANIFEST and dice.random() < 0.5
        return inside.sealed_again(
            frame, signing.pad(_another_manifest(text, alter, dice) if by_field else alter(text))
        )


def _inside(world: World, head: Head, ciphertext: bytes, place: int) -> Inside | None:
    stub, wrap = read_core(head.core), next((wrap for wrap in head.wraps if wrap.section == place), None)
    prekey = None if wrap is None else world.keys.prekeys.get(wrap.prekey_id)
    if isinstance(stub, BadCore) or wrap is None or prekey is None:
        return None
    core_hash = signing.core_hash(suite=head.suite, kind=head.kind, core=head.core)
    names = (stub.from_, stub.kid, stub.to)
    bound = signing.WrapBinding.of(names, suite=head.suite, core_hash=core_hash)
    info = bound.info(place, role_id=wrap.role_id, prekey_id=wrap.prekey_id)
    key = hybrid.unwrap(wrap.sealed, private=prekey.private, info=info)
    return None if key is None else _opened(ciphertext, key=key, core_hash=core_hash, place=(place, len(head.sections)))


def _opened(ciphertext: bytes, *, key: bytes, core_hash: bytes, place: tuple[int, int]) -> Inside | None:
    index, count = place
    secrets = signing.section_secrets(key, core_hash=core_hash, index=index)
    binding = signing.section_binding(core_hash, index=index, count=count)
    try:
        padded = aead_decrypt(ciphertext[NONCE_LENGTH:], binding, ciphertext[:NONCE_LENGTH], secrets.aead_key)
    except (CryptoError, ValueError):
        return None
    return Inside(index, secrets, binding, padded)
