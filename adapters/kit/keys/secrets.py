"""Bytes that must not be seen: they have no printable form, are not pickled and compare in constant time.

A key that reached a log, a traceback or a metric would be lost there for good.
So whoever needs the bytes must say `reveal()`, which a reviewer can search for.
"""

from hmac import compare_digest
from secrets import token_bytes
from typing import NoReturn, Self


class SecretBytes:
    """Bytes that only `reveal()` shows."""

    __slots__ = ("_held",)

    def __init__(self, raw: bytes) -> None:
        self._held = bytes(raw)

    @classmethod
    def random(cls, length: int = 32) -> Self:
        """Make `length` bytes from the operating system's randomness."""
        return cls(token_bytes(length))

    def reveal(self) -> bytes:
        """Hand out the bytes; keep them in no variable that outlives the call."""
        return self._held

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __format__(self, _specification: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretBytes) and compare_digest(self._held, other._held)

    __hash__ = None  # type: ignore[assignment]  # a secret in a set or a dictionary would be compared in plain time

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be pickled or copied")
