"""The ledger as a report reads it: verified from its first entry to its last, or no report is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from broker.errors import HubError
from broker.ledger.chain import KeptDirectory, Passage, Row
from broker.ledger.ledger import Ledger
from broker.ledger.tables import stubs
from broker.reports.paper import Source

_AT_ONCE: Final = 500


class LedgerBroken(HubError):
    """The ledger is not as it was written, so no report is made of it; `mash-hub ledger verify` says where."""


class LedgerShorter(HubError):
    """The ledger holds fewer entries than are asked for: it is another one, or its end has been cut off."""


@dataclass(frozen=True)
class Reading:
    """Every entry up to one that was verified, and what to call it."""

    source: Source
    passages: tuple[Passage, ...]


async def read_verified(ledger: Ledger, *, entries: int | None = None) -> Reading:
    """Verify the ledger and read it, or its first `entries`. Raises `LedgerBroken`, `LedgerShorter`.

    What comes meanwhile is left out.
    """
    check = await ledger.verify()
    if check.fault is not None:
        raise LedgerBroken(f"({check.fault.code} at entry {check.fault.number})")
    wanted = check.entries if entries is None else entries
    if wanted > check.entries:
        raise LedgerShorter(f"({check.entries})")
    passages: list[Passage] = []
    while len(passages) < wanted:
        passages += await ledger.passages(after=len(passages))
    last = check.hash if wanted == check.entries else await _hash_at(ledger, wanted)
    return Reading(Source(wanted, last.hex(), ledger.began_at), tuple(passages[:wanted]))


async def rows_of(ledger: Ledger, numbers: Sequence[int]) -> dict[int, Row]:
    """Give whole entries by their numbers."""
    found: dict[int, Row] = {}
    for begin in range(0, len(numbers), _AT_ONCE):
        some = select(stubs).where(stubs.c.number.in_(numbers[begin : begin + _AT_ONCE]))
        async with ledger.reading() as connection:
            found |= {row["number"]: dict(row) for row in (await connection.execute(some)).mappings()}
    return found


async def directory_kept(ledger: Ledger, digest: bytes) -> KeptDirectory:
    """Give a directory that entries were verified by. Raises `LedgerBroken` where it is gone."""
    found = await ledger.kept_directory(digest)
    if found is None:
        raise LedgerBroken("(L4)")
    return found


async def _hash_at(ledger: Ledger, number: int) -> bytes:
    return bytes((await rows_of(ledger, [number]))[number]["hash"]) if number else bytes(32)
