"""What the commands of `mash carry` do: the ledger first, then the files, and whatever was taken in is acted on."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.kit.delivery import carried
from adapters.kit.delivery.carried import Way
from adapters.kit.delivery.inbox_worker import InboxWorker
from adapters.kit.refusal import refuse_if
from adapters.la.console.exporting import write_private
from adapters.la.console.office import console_of
from broker.hub import MAX_BODY_BYTES

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter

SUFFIX = ".mash"


async def carried_out(adapter: "Adapter", peer: str, folder: Path, *, way: Way, user: str) -> dict[str, Any]:
    """Write what waits for `peer` to files of their owner's alone."""
    adapter.settings.users.find(user)
    async with adapter.store.transaction() as tx:
        found = await carried.take_out(tx, peer, way=way, user=user)
    names = (folder / f"{number:03}-{one.mid}{SUFFIX}" for number, one in enumerate(found, start=1))
    return {"files": [write_private(name, one.body) for name, one in zip(names, found, strict=True)]}


async def carried_in(adapter: "Adapter", files: Sequence[Path], *, sender: str, way: Way, user: str) -> dict[str, Any]:
    """Take files in, all or none, and act on what is new: beside a running adapter whoever is first does, once."""
    adapter.settings.users.find(user)
    console_of(adapter)  # whose handlers act on what comes back to a council
    bodies = [_read(file) for file in files]
    async with adapter.store.transaction() as tx:
        new = [await carried.take_in(tx, body, sender=sender, way=way, user=user) for body in bodies]
    worker = InboxWorker(adapter.store, adapter.envelopes)
    while await worker.run_once(adapter.apply):
        pass
    return {"taken_in": sum(new), "here_already": len(new) - sum(new)}


def _read(file: Path) -> bytes:
    """Read a file, and no more of it than the hub would carry."""
    with file.open("rb") as opened:
        body = opened.read(MAX_BODY_BYTES + 1)
    refuse_if([f"{file.name} is larger than any message"] if len(body) > MAX_BODY_BYTES else [])
    return body


async def reconciled(adapter: "Adapter", *, user: str) -> dict[str, Any]:
    """Reconcile in a user's name."""
    adapter.settings.users.find(user)
    async with adapter.store.transaction() as tx:
        return asdict(await carried.reconcile(tx, user=user))


def reconciled_text(done: dict[str, Any]) -> str:
    """Say it."""
    alone = f" {len(done['alone'])} can go by it no more and stand in this ledger alone." if done["alone"] else ""
    return (
        f"{len(done['again'])} go once more by the hub; {len(done['waiting'])} are not opened over there yet: "
        f"reconcile again later.{alone}"
    )
