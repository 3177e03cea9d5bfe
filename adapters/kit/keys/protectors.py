"""What a key file is locked with: a passphrase or a credential of the service manager. Never something in the file.

A protector turns a *header* (public, stored beside the keys) into the key-encryption key, and refuses what is weak:
a header that asks for less work than the protector demands, a credential that others can read, too short a secret.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import digest
from pathlib import Path
from typing import Any, Final, Protocol

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.utils import random

from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.signing import pae

KEY_LENGTH: Final = 32
SHORTEST_PASSPHRASE: Final = 12
MAX_MEMORY: Final = 1 << 30
MAX_PASSES: Final = 16
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

Header = Mapping[str, Any]


class CannotUnlock(Exception):
    """The key file does not open: wrong passphrase or credential, another kind of protection, or a damaged header."""


class TooWeak(Exception):
    """The passphrase or credential is too short to protect keys."""


class ReadableByOthers(Exception):
    """A file with keys or a credential can be read or written by other users: chmod it to 600 and rotate the keys."""


class Protector(Protocol):
    """Makes key-encryption keys."""

    def new(self) -> tuple[SecretBytes, Header]:
        """Make a key and the header that leads back to it."""

    def unlock(self, header: Header) -> SecretBytes:
        """Make the key that belongs to `header`. Raises `CannotUnlock`."""


def refuse_if_readable_by_others(path: Path) -> None:
    """Raise `ReadableByOthers` unless only the owner may touch the file."""
    if path.stat().st_mode & OTHERS:
        raise ReadableByOthers(str(path))


@dataclass(frozen=True)
class Cost:
    """How much work a guess costs: Argon2id passes and bytes of memory."""

    passes: int
    memory: int


MODERATE: Final = Cost(argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)


class PassphraseProtector:
    """A passphrase through Argon2id (RFC 9106), 256 MiB and three passes unless the caller demands otherwise."""

    def __init__(self, passphrase: str, *, cost: Cost = MODERATE) -> None:
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise TooWeak
        self._passphrase, self._cost = SecretBytes(passphrase.encode()), cost

    def new(self) -> tuple[SecretBytes, Header]:
        """Make a key under a fresh salt."""
        salt = random(argon2id.SALTBYTES)
        header = {"kind": "passphrase", "salt": base64url.encode(salt)}
        header_with_cost: Header = header | {"passes": self._cost.passes, "memory": self._cost.memory}
        return self._derive(salt, self._cost), header_with_cost

    def unlock(self, header: Header) -> SecretBytes:
        """Make the key again; a header that asks for less work than we demand is a forged one."""
        salt = base64url.decode(str(header.get("salt", "")), size=argon2id.SALTBYTES)
        passes, memory = header.get("passes"), header.get("memory")
        if header.get("kind") != "passphrase" or salt is None or type(passes) is not int or type(memory) is not int:
            raise CannotUnlock
        if not (self._cost.passes <= passes <= MAX_PASSES and self._cost.memory <= memory <= MAX_MEMORY):
            raise CannotUnlock
        return self._derive(salt, Cost(passes, memory))

    def _derive(self, salt: bytes, cost: Cost) -> SecretBytes:
        try:
            raw = argon2id.kdf(KEY_LENGTH, self._passphrase.reveal(), salt, opslimit=cost.passes, memlimit=cost.memory)
        except (CryptoError, ValueError, RuntimeError) as failed:
            raise CannotUnlock from failed
        return SecretBytes(raw)


class CredentialProtector:
    """A credential that systemd decrypts for this service alone (`LoadCredentialEncrypted=`, sealed to the TPM).

    The file must hold at least 32 bytes of randomness and be readable by its owner only.
    """

    def __init__(self, name: str = "mash-keyring", *, folder: Path | None = None) -> None:
        given = folder or Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"))
        self._path = given / name

    def new(self) -> tuple[SecretBytes, Header]:
        """Make a key under a fresh salt."""
        salt = random(16)
        return self._derive(salt), {"kind": "credential", "salt": base64url.encode(salt)}

    def unlock(self, header: Header) -> SecretBytes:
        """Make the key again."""
        salt = base64url.decode(str(header.get("salt", "")), size=16)
        if header.get("kind") != "credential" or salt is None:
            raise CannotUnlock
        return self._derive(salt)

    def _derive(self, salt: bytes) -> SecretBytes:
        try:
            refuse_if_readable_by_others(self._path)
            raw = self._path.read_bytes()
        except OSError as missing:
            raise CannotUnlock from missing
        if len(raw) < KEY_LENGTH:
            raise TooWeak
        return SecretBytes(digest(digest(salt, raw, "sha256"), pae("keyring-kek") + b"\x01", "sha256"))
