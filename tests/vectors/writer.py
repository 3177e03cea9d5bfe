"""A second writer of MSE1 envelopes, made from SPEC.md alone: it shares no layout, label or derivation with ours.

Every step passes through a *hook*, by which a vector breaks exactly one rule while everything after it, the
signature included, is made as if nothing had happened.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_encrypt

from schemas import base64url
from tests.vectors import world
from tests.vectors.world import RECIPIENT, SENDER, T
from tests.vectors.wrapping import entropy, hpke_seal

Hook = Callable[..., Any]
SECTIONS = {1: 4, 2: 2, 3: 1}
ROLE_OF = ("gateway", "team", "decision_maker", "protected")


def u16(number: int) -> bytes:
    """Two bytes, the great one first."""
    return number.to_bytes(2, "big")


def u32(number: int) -> bytes:
    """Four bytes, the great one first."""
    return number.to_bytes(4, "big")


def pae(*parts: bytes) -> bytes:
    """SPEC 4.1."""
    return b"mash/1\x00" + b"".join(u32(len(part)) + part for part in parts)


def core_fields(**changes: Any) -> dict[str, Any]:
    """The core of a sound request, with changes; the value `...` takes a field out."""
    fields: dict[str, Any] = {"v": 1, "mid": world.identifier("mid"), "thread": world.identifier("thread")}
    fields |= {"from": SENDER, "to": RECIPIENT, "kid": world.kid(SENDER), "seq": 1, "prev": "A" * 43, "irt": None}
    digest = base64url.encode(world.directory_of_the_vectors().hash)
    fields |= {"lane": "urgent", "cls": "amber", "ev": "REQ", "t": T, "exp": T + world.DAY}
    fields |= {"dir": {"ver": 7, "sha256": digest}} | changes
    return {name: value for name, value in fields.items() if value is not ...}


BEAT = {"ev": "HB", "lane": "routine", "cls": "none"}
RECEIPT = {"ev": "RCP", "lane": "receipt", "cls": "receipt", "irt": world.identifier("asked")}


@dataclass(frozen=True)
class Draft:
    """An envelope to be written: what it says, and the hooks that break it."""

    kind: int = 1
    core: dict[str, Any] = field(default_factory=core_fields)
    texts: Mapping[int, bytes] = field(default_factory=dict)
    suite: int = 2
    flags: int = 0
    roles: tuple[str, ...] = ROLE_OF
    which: str = "current"
    signer: tuple[str, str] = (SENDER, "current")
    hooks: Mapping[str, Hook] = field(default_factory=dict)

    def hooked(self, name: str, value: Any, *context: Any) -> Any:
        """Pass a value through its hook, if it has one."""
        return self.hooks[name](value, *context) if name in self.hooks else value

    def breaking(self, **hooks: Hook) -> "Draft":
        """Give the same draft with more hooks."""
        return replace(self, hooks={**self.hooks, **hooks})


def _padded(text: bytes) -> bytes:
    total = max(2048, len(text) + 4)
    exponent = total.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return (u32(len(text)) + text).ljust(-(-total // step) * step, b"\0")


def manifest_of(fields: Mapping[str, Any], used: list[int]) -> dict[str, Any]:
    """SPEC 6.2, as a dictionary."""
    echo = {name: fields.get(name) for name in ("from", "to", "mid", "thread", "ev", "lane")}
    return echo | {"v": 1, "user": "coordinator-1", "role": "coordinator", "purpose": "mash_enquiry", "sections": used}


@dataclass
class Writer:
    """Writes one draft."""

    draft: Draft

    def write(self) -> bytes:
        """Give the bytes of the envelope."""
        draft = self.draft
        fields = draft.hooked("fields", draft.core)
        plain = fields if isinstance(fields, bytes) else json.dumps(fields, separators=(",", ":")).encode()
        self.core = draft.hooked("core", plain)
        self.core_hash = hashlib.sha256(pae(b"core", bytes([draft.suite]), bytes([draft.kind]), self.core)).digest()
        self.count = draft.hooked("count", SECTIONS.get(draft.kind, 4))
        rows, wraps, ciphertexts = self._sections()
        head = b"MSE1" + bytes([draft.suite, draft.kind]) + u16(draft.flags) + u32(len(self.core)) + self.core
        rows, wraps = draft.hooked("rows", rows), draft.hooked("wraps", wraps)
        head += u16(len(rows)) + b"".join(rows) + u16(len(wraps)) + b"".join(wraps)
        head = draft.hooked("head", head)
        signed = draft.hooked("signed", pae(b"env", head))
        signature = draft.hooked("signature", world.signing_pair(*draft.signer).sign(signed).signature)
        return bytes(draft.hooked("body", b"".join((head, signature, *draft.hooked("ciphertexts", ciphertexts)))))

    def _sections(self) -> tuple[list[bytes], list[bytes], list[bytes]]:
        rows, wraps, ciphertexts = [], [], []
        for index in range(self.count):
            row, wrap, ciphertext = self._section(index)
            rows.append(row)
            wraps.append(wrap)
            ciphertexts.append(ciphertext)
        return rows, [wrap for group in wraps for wrap in group], ciphertexts

    def _text(self, index: int) -> bytes:
        if index:
            return self.draft.texts.get(index, b"")
        manifest = self.draft.hooked("manifest", manifest_of(self.draft.core, sorted(self.draft.texts)))
        if isinstance(manifest, bytes):
            return manifest
        return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()

    def _derive(self, label: bytes, index: int, content_key: bytes) -> bytes:
        extracted = hmac.digest(self.core_hash, content_key, "sha256")
        return hmac.digest(extracted, pae(label, bytes([index])) + b"\x01", "sha256")

    def _section(self, index: int) -> tuple[bytes, list[bytes], bytes]:
        draft = self.draft
        content_key = entropy(f"content key {index} {self.core_hash.hex()}")
        nonce = entropy(f"nonce {index} {self.core_hash.hex()}", 24)
        padded = draft.hooked("padded", _padded(self._text(index)), index)
        binding = pae(b"sec", self.core_hash, bytes([index]), bytes([self.count]))
        binding = draft.hooked("binding", binding, index, self.core_hash)
        key = self._derive(b"aead", index, content_key)
        ciphertext = nonce + aead_encrypt(padded, binding, nonce, draft.hooked("aead_key", key, index, content_key))
        committed = hmac.digest(self._derive(b"ptc", index, content_key), padded, "sha256")
        hashes = [hashlib.sha256(ciphertext).digest(), self._derive(b"commit", index, content_key), committed]
        hashes = draft.hooked("hashes", hashes, index)
        row = bytes([index, 0, 0, 0]) + u32(len(ciphertext)) + b"".join(hashes)
        return row, draft.hooked("section_wraps", self._wraps(index, content_key), index, self), ciphertext

    def _wraps(self, index: int, content_key: bytes) -> list[bytes]:
        roles = [role for role in self.draft.roles if {**world.ROLES, world.EXTRA_ROLE: (1,)}[role] == (index,)]
        if not roles:  # a fifth section, which no role opens
            roles = ["team"]
        return [self.wrap(index, content_key, role=role, which=self.draft.which) for role in roles]

    def wrap(self, index: int, content_key: bytes, *, role: str, which: str = "current") -> bytes:
        """Wrap a content key to one role of the recipient (SPEC 4.3)."""
        draft, fields = self.draft, self.draft.core
        ids = [
            base64url.decode(world.role_id(RECIPIENT, role)),
            base64url.decode(world.prekey_id(RECIPIENT, role, which)),
        ]
        ends = [str(fields.get(name)).encode() for name in ("from", "kid", "to")]
        info = [b"wrap", bytes([draft.suite]), self.core_hash, bytes([index]), *ends, *ids]
        info = draft.hooked("info", info, index)
        public = world.public_prekey(RECIPIENT, role, which)
        sealed = hpke_seal(draft.hooked("wrapped_key", content_key, index), public=public, info=pae(*info))
        sealed = draft.hooked("sealed", sealed, index)
        ids = draft.hooked("ids", ids, index)
        return bytes(b"".join((bytes([index]), *ids, u16(len(sealed)), sealed)))


def message(**changes: Any) -> Draft:
    """A sound request with text in every section."""
    texts = {1: b"Is anything known?", 2: b"For the decision maker.", 3: b"ZZ99 9ZZ"}
    return Draft(core=core_fields(**changes), texts=texts)


def beat(**changes: Any) -> Draft:
    """A sound heartbeat: the smallest envelope, for rules that have nothing to do with sections."""
    return Draft(kind=3, core=core_fields(**{**BEAT, **changes}))


def receipt(**changes: Any) -> Draft:
    """A sound receipt."""
    text = {"kind": "R1", "outcome": "received", "code": None, "seq_seen": 4, "at": "2026-11-24T10:12:00Z"}
    text |= {"original_stub_hash": base64url.encode(entropy("stub"))}
    plain = json.dumps(text, sort_keys=True, separators=(",", ":")).encode()
    return Draft(kind=2, core=core_fields(**{**RECEIPT, **changes}), texts={1: plain})


def write(draft: Draft) -> bytes:
    """Write a draft."""
    return Writer(draft).write()
