"""A PKCS#11 token (smart card, HSM) as what a key file is locked with: the token's key never leaves it.

The key-encryption key is HMAC-SHA256 by a secret that the token made, cannot show and is asked for with a PIN.
Whoever has the disk and the PIN but not the token opens nothing. The token is asked once, when the keyring opens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pkcs11
from nacl.utils import random
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from adapters.kit.keys.protectors import CannotUnlock, Header, refuse_if_readable_by_others
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.signing import pae

KEY_LABEL: Final = "mash-keyring"
KEY_BITS: Final = 256
# What the token does with its key, and all it may: never shown, never copied out, never anything but HMAC.
TEMPLATE: Final = {
    Attribute.CLASS: ObjectClass.SECRET_KEY,
    Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
    Attribute.VERIFY: False,
    Attribute.ENCRYPT: False,
    Attribute.DECRYPT: False,
    Attribute.WRAP: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: False,
}


class TokenProtector:
    """A key on the token labelled `label`, through the PKCS#11 library `module`; the PIN is in a file of its owner."""

    def __init__(self, module: Path, *, label: str, pin_file: Path) -> None:
        refuse_if_readable_by_others(pin_file)
        self._module, self._label = module, label
        self._pin = SecretBytes(pin_file.read_bytes().strip())

    def new(self) -> tuple[SecretBytes, Header]:
        """Make a key under a fresh salt; the token makes its secret if it has none yet."""
        salt = random(16)
        with self._session(writing=True) as session:
            if _find(session) is None:
                session.generate_key(
                    KeyType.GENERIC_SECRET,
                    KEY_BITS,
                    label=KEY_LABEL,
                    store=True,
                    mechanism=Mechanism.GENERIC_SECRET_KEY_GEN,
                    template=TEMPLATE,
                )
        return self._derive(salt), {"kind": "pkcs11", "token": self._label, "salt": base64url.encode(salt)}

    def unlock(self, header: Header) -> SecretBytes:
        """Make the key again. Raises `CannotUnlock` without the token, its secret, or the right PIN."""
        salt = base64url.decode(str(header.get("salt", "")), size=16)
        if header.get("kind") != "pkcs11" or header.get("token") != self._label or salt is None:
            raise CannotUnlock
        return self._derive(salt)

    def _derive(self, salt: bytes) -> SecretBytes:
        with self._session() as session:
            key = _find(session)
            if key is None:
                raise CannotUnlock
            mac: bytes = key.sign(pae("keyring-kek", salt), mechanism=Mechanism.SHA256_HMAC)
            return SecretBytes(mac)

    @contextmanager
    def _session(self, *, writing: bool = False) -> Iterator[pkcs11.Session]:
        try:
            token = pkcs11.lib(str(self._module)).get_token(token_label=self._label)
            with token.open(rw=writing, user_pin=self._pin.reveal().decode()) as session:
                yield session
        except (pkcs11.PKCS11Error, RuntimeError, UnicodeDecodeError) as failed:
            raise CannotUnlock from failed


def _find(session: pkcs11.Session) -> Any:
    named = {Attribute.LABEL: KEY_LABEL, Attribute.CLASS: ObjectClass.SECRET_KEY}
    return next(iter(session.get_objects(named)), None)
