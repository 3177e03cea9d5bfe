"""Keys that sign the directory: one file a key and a person, on a machine of its own; the public half beside it.

The root's and the registrar's keys never meet: each signs the staged file where it is, and the file travels.
A private key file that others can read is refused. A key on a token is used through securesystemslib's `hsm:` signer.
"""

import json
import os
import stat
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from broker.directory.tuf import CryptoSigner, Key, Signer, SSlibKey
from schemas import base64url


class KeyReadableByOthers(Exception):
    """A private key can be read by other users: chmod it to 600, and replace the key if it may have been copied."""


def public_path(private: Path) -> Path:
    """Say where the public half of a key file is."""
    return private.with_name(private.name + ".pub")


def make_key(private: Path) -> Key:
    """Make an Ed25519 key: `private` for its owner only, and `private.pub` for everybody. Never overwrites."""
    signer = CryptoSigner.generate_ed25519()
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(signer.private_bytes)
        os.fsync(file.fileno())
    plain = {"keyid": signer.public_key.keyid, **signer.public_key.to_dict()}
    public_path(private).write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    return signer.public_key


def load_public(path: Path) -> Key:
    """Read a public half. Raises `ValueError`."""
    plain: dict[str, Any] = json.loads(path.read_text("utf-8"))
    try:
        return Key.from_dict(plain.pop("keyid"), plain)
    except KeyError:
        raise ValueError(f"{path} is no public key") from None


def load_signer(private: Path) -> Signer:
    """Open a private key file. Raises `KeyReadableByOthers`, `FileNotFoundError`, `ValueError`."""
    if private.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyReadableByOthers(str(private))
    return Signer.from_priv_key_uri(f"file2:{private.resolve()}", load_public(public_path(private)))


def key_of_identity(public: str) -> SSlibKey:
    """Give an agency's identity key (base64url) as a key of the directory."""
    raw = base64url.decode(public, size=32)
    if raw is None:
        raise ValueError("not an identity key")
    return SSlibKey(sha256(raw).hexdigest(), "ed25519", "ed25519", {"public": raw.hex()})


def keys_by_id(keys: Sequence[Key]) -> dict[str, Key]:
    """Give keys by their ids; one key given twice counts once."""
    return {key.keyid: key for key in keys}
