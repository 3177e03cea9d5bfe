"""Fields that rest on the disk sealed: XChaCha20-Poly1305, bound to the place they belong to.

Three layers. The store key, which the disk does not hold, wraps an epoch key; the epoch key wraps one data key for a
record or a group of records; the data key seals their fields. The associated data is
table | primary key | column | key epoch, so a value that is moved to another row, column or epoch does not open.
Erasing a data key erases everything sealed under it, wherever copies of the ciphertext lie.

A second use of the epoch key guards rows that are not secret: a keyed hash over every column of a row, by which a
flipped bit is found before the row is used. It is no protection against someone who restores an old row whole.

Refuses to know: what the fields mean, when they are erased, where they are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Protocol

from nacl.exceptions import CryptoError
from nacl.secret import Aead
from nacl.utils import random as random_bytes

from adapters.kit.store.errors import StoreDamaged, WrongStoreKey

KEY_BYTES: Final = 32
_GUARD_BYTES: Final = 16


class StoreKey(Protocol):
    """A secret that cannot be printed, such as the keyring's SecretBytes."""

    def reveal(self) -> bytes:
        """Return the 32 bytes."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a sealed value belongs; `key` is the primary key of its row."""

    table: str
    key: str
    column: str

    def bound_to(self, epoch: int) -> bytes:
        """Encode this place and the key epoch without ambiguity, as associated data."""
        return framed(b"mash/store/1", self.table.encode(), self.key.encode(), self.column.encode(), b"%d" % epoch)


def framed(*parts: bytes) -> bytes:
    """Join `parts`, each behind its length, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def seal_under(key: bytes, plain: bytes, *, place: Place, epoch: int) -> bytes:
    """Seal `plain` for `place` under a 32-byte `key`; returns nonce, ciphertext and tag."""
    return bytes(Aead(key).encrypt(plain, place.bound_to(epoch)))


def open_under(key: bytes, sealed: bytes, *, place: Place, epoch: int) -> bytes:
    """Open what `seal_under` made; raises StoreDamaged if a bit, the key, the place or the epoch differs."""
    try:
        return bytes(Aead(key).decrypt(sealed, place.bound_to(epoch)))
    except (CryptoError, ValueError):
        raise StoreDamaged(f"a sealed {place.column} of {place.table} does not open") from None


@dataclass(frozen=True)
class WrappedEpoch:
    """An epoch key as the disk holds it: wrapped by the store key."""

    epoch: int
    wrapped: bytes = field(repr=False)


_EPOCH_PLACE: Final = Place("field_epoch", "", "wrapped")


def new_epoch(store_key: bytes, *, epoch: int) -> WrappedEpoch:
    """Make a fresh epoch key and wrap it by `store_key`."""
    return wrap_epoch(store_key, random_bytes(KEY_BYTES), epoch=epoch)


def wrap_epoch(store_key: bytes, key: bytes, *, epoch: int) -> WrappedEpoch:
    """Wrap an epoch key by `store_key`."""
    return WrappedEpoch(epoch, seal_under(store_key, key, place=_EPOCH_PLACE, epoch=epoch))


class FieldCipher:
    """The unwrapped epoch keys of one open store; it cannot be printed.

    Raises WrongStoreKey if the store key does not open every epoch, and if there is no epoch at all.
    """

    def __init__(self, store_key: bytes, epochs: list[WrappedEpoch]) -> None:
        if len(store_key) != KEY_BYTES or not epochs:
            raise WrongStoreKey
        try:
            self._keys = {e.epoch: open_under(store_key, e.wrapped, place=_EPOCH_PLACE, epoch=e.epoch) for e in epochs}
        except StoreDamaged:
            raise WrongStoreKey from None
        self.epoch = max(self._keys)
        first = self._keys[min(self._keys)]
        self._guard_key = blake2b(b"row guard", key=first, digest_size=KEY_BYTES).digest()

    def __repr__(self) -> str:
        return f"FieldCipher(epochs={sorted(self._keys)})"

    def rewrapped(self, store_key: bytes) -> list[WrappedEpoch]:
        """Wrap every epoch key again by another store key (the yearly rotation)."""
        return [wrap_epoch(store_key, key, epoch=epoch) for epoch, key in self._keys.items()]

    def new_data_key(self, key_id: str) -> tuple[bytes, bytes]:
        """Make a data key; returns it plain and wrapped by the current epoch key."""
        key = random_bytes(KEY_BYTES)
        return key, seal_under(
            self._keys[self.epoch], key, place=Place("record_key", key_id, "wrapped"), epoch=self.epoch
        )

    def open_data_key(self, key_id: str, wrapped: bytes, *, epoch: int) -> bytes:
        """Unwrap a data key; raises StoreDamaged if it is not the one that was stored under `key_id`."""
        if epoch not in self._keys:
            raise StoreDamaged(f"no key of epoch {epoch}")
        return open_under(self._keys[epoch], wrapped, place=Place("record_key", key_id, "wrapped"), epoch=epoch)

    def guard(self, table: str, row: Mapping[str, object]) -> bytes:
        """Return the keyed hash (16 bytes) of every column of `row` but `guard` itself."""
        columns = [_column(name, row[name]) for name in _guarded(tuple(row))]
        told = framed(table.encode()) + b"".join(columns)
        return blake2b(told, key=self._guard_key, digest_size=_GUARD_BYTES).digest()


@lru_cache(maxsize=256)
def _guarded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in sorted(names) if name != "guard")


def _column(name: str, value: object) -> bytes:
    """Encode a column: its name, the type of its value and the value, so that None, "", 0 and b"" differ.

    The same bytes as `framed(framed(name, type, value))`, written out because every row of every message passes here.
    """
    if value is None:
        return _null(name)
    kind, told = _typed(value)
    head, size = _head(name, kind), len(told)
    return (len(head) + 8 + size).to_bytes(8, "big") + head + size.to_bytes(8, "big") + told


@lru_cache(maxsize=1024)
def _null(name: str) -> bytes:
    return framed(framed(name.encode(), b"none", b""))


@lru_cache(maxsize=4096)
def _head(name: str, kind: bytes) -> bytes:
    return framed(name.encode(), kind)


def _typed(value: object) -> tuple[bytes, bytes]:
    """Encode a column's value, with the name of its type."""
    if isinstance(value, str):
        return b"text", value.encode()
    if isinstance(value, bytes):
        return b"bytes", value
    if isinstance(value, int):
        return b"number", b"%d" % value
    if isinstance(value, datetime):
        return b"time", value.isoformat().encode()
    raise TypeError(type(value).__name__)
