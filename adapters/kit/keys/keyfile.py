"""The key file: public parts in the open, private parts wrapped one by one, written so that it is whole or absent.

Nothing in it opens without the protector. A file that other users can read is refused, not repaired.
Erasing a key means writing the file without it; a copy of the old file is the operator's to destroy, which is why
`backup_of` leaves the prekeys out: no backup may bring back what forward secrecy has promised to be gone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt,
)
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as aead_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.utils import random
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.kit.failpoints import reach
from adapters.kit.keys.protectors import CannotUnlock, refuse_if_readable_by_others
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.agency import ParticipantId
from schemas.directory import Identifier, Revocation, RoleName, Seconds
from schemas.envelope import NONCE_LENGTH
from schemas.signing import pae

FILE_NAME: Final = "keyring.json"
LOCK_NAME: Final = "keyring.lock"


class DamagedKeyFile(Exception):
    """The key file is damaged: bytes on the disk are not what was written. Restore it (runbook: lost-key-file)."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class StoredRole(_Stored):
    """A role of this agency: its name, its id, and the sections that it opens."""

    name: RoleName
    id: Identifier
    opens: tuple[int, ...]


class StoredKey(_Stored):
    """One key pair: the public part in the open, the private part wrapped. `role` is the role's id, for a prekey."""

    id: Identifier
    use: Literal["identity", "signing", "prekey"]
    role: Identifier | None = None
    public: str
    not_before: Seconds
    not_after: Seconds
    sealed: Annotated[str, Field(repr=False)]

    def label(self, participant: str) -> bytes:
        """Give what the wrapping is bound to, so that no wrapped key can take another's place."""
        return pae("keyring", participant.encode(), self.use.encode(), self.id.encode(), self.public.encode())


class KeyFile(_Stored):
    """All that is stored."""

    format: Literal["mash-keyring/1"] = "mash-keyring/1"
    participant: ParticipantId
    kind: str
    name: Annotated[str, Field(min_length=1, max_length=80)]
    duty_telephone: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    protector: dict[str, Any]
    master: Annotated[str, Field(repr=False)]
    roles: tuple[StoredRole, ...]
    keys: tuple[StoredKey, ...]
    revocations: tuple[Revocation, ...] = ()
    checksum: str = ""

    def whole(self) -> bytes:
        """Write everything down with a checksum, so that a flipped bit in a date or a public key is seen too."""
        return self.model_copy(update={"checksum": self._sum()}).model_dump_json(indent=1).encode()

    def is_whole(self) -> bool:
        """Say whether this is what was written."""
        return self.checksum == self._sum()

    def _sum(self) -> str:
        return sha256(self.model_dump_json(exclude={"checksum"}).encode()).hexdigest()

    def of_use(self, use: str) -> tuple[StoredKey, ...]:
        """Give the keys of one use."""
        return tuple(key for key in self.keys if key.use == use)


@dataclass(frozen=True, repr=False)
class Wrapping:
    """Wraps and unwraps private keys under one key."""

    key: SecretBytes

    def seal(self, secret: SecretBytes, *, label: bytes) -> str:
        """Wrap `secret`, bound to `label`."""
        nonce = random(NONCE_LENGTH)
        return base64url.encode(nonce + aead_encrypt(secret.reveal(), label, nonce, self.key.reveal()))

    def open(self, sealed: str, *, label: bytes) -> SecretBytes:
        """Unwrap. Raises `CannotUnlock`."""
        raw = base64url.decode(sealed) or b""
        try:
            return SecretBytes(aead_decrypt(raw[NONCE_LENGTH:], label, raw[:NONCE_LENGTH], self.key.reveal()))
        except (CryptoError, ValueError, RuntimeError) as failed:
            raise CannotUnlock from failed


def master_label(participant: str) -> bytes:
    """Give what the wrapped master key is bound to."""
    return pae("keyring-master", participant.encode())


def load(folder: Path) -> KeyFile:
    """Read the key file. Raises `ReadableByOthers`, `DamagedKeyFile`, or `FileNotFoundError`."""
    path = folder / FILE_NAME
    refuse_if_readable_by_others(path)
    try:
        content = KeyFile.model_validate_json(path.read_bytes())
    except ValidationError as damaged:
        raise DamagedKeyFile(str(path)) from damaged
    if not content.is_whole():
        raise DamagedKeyFile(str(path))
    return content


def mark_of(folder: Path) -> tuple[int, int, int] | None:
    """Give what changes whenever the key file is written, or None where there is none."""
    try:
        found = (folder / FILE_NAME).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def save(content: KeyFile, *, folder: Path) -> None:
    """Write the key file whole and durably, for its owner only, before anything in it is published (C35)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / FILE_NAME, content.whole())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that a service and a command never overwrite each other's keys."""
    with (folder / LOCK_NAME).open("w") as lock:
        (folder / LOCK_NAME).chmod(0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` atomically by a file of mode 600: written beside, flushed, renamed, folder flushed."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    reach("C36")
    beside.replace(path)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def backup_of(content: KeyFile) -> bytes:
    """Give what a backup may hold: everything but the prekeys."""
    kept = tuple(key for key in content.keys if key.use != "prekey")
    return content.model_copy(update={"keys": kept}).whole()
