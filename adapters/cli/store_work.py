"""What the commands of `mash store` do, and how it is said. Nothing here reads content."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from adapters.cli.desk_views import moment
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store import erasure, invariants
from adapters.kit.store.engine import sqlite_path, store_url
from adapters.kit.store.tables import METADATA, pair

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter

Plain = dict[str, Any]


async def checked(adapter: "Adapter") -> Plain:
    """Verify the ledger, every guarded row and the invariants. Raises `Refused` with everything that does not hold."""
    async with adapter.store.snapshot() as view:
        for table in METADATA.sorted_tables:
            await view.select(table, select(table))  # which verifies every guarded row
        ledger = await view.verify_ledger()
        broken = [] if ledger.broken_at is None else [f"the ledger does not hold from entry {ledger.broken_at}"]
        refuse_if([*broken, *await invariants.violations(view)])
        standing = await view.alarms()
        return {
            "participant": adapter.store.participant,
            "sends": not view.recovering,
            "ledger_entries": ledger.entries,
            "alarms": len(standing),
        }


def checked_text(found: Plain) -> str:
    """Say how the store stands."""
    sends = "It sends." if found["sends"] else "It is IN RECOVERY and sends nothing (runbook: older-backup)."
    return (
        f"The store of {found['participant']} is whole: {found['ledger_entries']} ledger entries verified. {sends} "
        f"{found['alarms'] or 'No'} alarms stand."
    )


async def backed_up(adapter: "Adapter", file: Path) -> Plain:
    """Copy a SQLite store as it stands at one moment. Raises `Refused` for PostgreSQL, or a file that is there."""
    source = sqlite_path(store_url(adapter.settings.store_url))
    if source is None:
        raise Refused(["the store is on PostgreSQL: back it up with pg_dump (runbook: README)"])
    await asyncio.to_thread(_copied, source, file)
    return {"file": str(file)}


def _copied(source: Path, file: Path) -> None:
    refuse_if([f"{file} is there already"] if file.exists() else [])
    file.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(file)) as copy:
        live.backup(copy)


async def seen_up_to(adapter: "Adapter") -> Plain:
    """Give what each partner has told us that it has seen of ours, and what we have seen of theirs."""
    async with adapter.store.snapshot() as view:
        rows = await view.select(pair, select(pair).order_by(pair.c.peer))
    return {"partners": {row["peer"]: {"of_ours": row["peer_seen"], "of_theirs": row["seen_seq"]} for row in rows}}


def seen_text(found: Plain) -> str:
    """Say it, a partner a line."""
    lines = (
        f"{peer} has told us that it has our numbers up to {seen['of_ours']}; we have theirs up to {seen['of_theirs']}."
        for peer, seen in found["partners"].items()
    )
    return "\n".join(lines) or "No word has passed between us and anybody."


def numbers_given(texts: Sequence[str]) -> Mapping[str, int]:
    """Read PARTNER=NUMBER. Raises `typer.BadParameter`."""
    import typer

    pairs = [text.partition("=") for text in texts]
    if any(not peer or not number.isdigit() for peer, _, number in pairs):
        raise typer.BadParameter("give each partner as PARTNER=NUMBER, for example testford-police=12")
    return {peer: int(number) for peer, _, number in pairs}


async def reconciled(adapter: "Adapter", seen: Mapping[str, int], *, user: str) -> Plain:
    """End recovery in a user's name."""
    adapter.settings.users.find(user)
    async with adapter.store.transaction() as tx:
        refuse_if([] if tx.recovering else ["the store is not in recovery; there is nothing to reconcile"])
        await tx.reconcile(seen=seen, user=user)
    return await checked(adapter)


async def sent_again(adapter: "Adapter", peer: str, *, first: int, last: int, user: str) -> Plain:
    """Repeat stored messages, in a user's name."""
    adapter.settings.users.find(user)
    async with adapter.store.transaction() as tx:
        again = await tx.send_again(peer, first=first, last=last)
        refs = {"to": peer, "first": str(first), "last": str(last), "count": str(again), "user": user}
        await tx.record("messages.again", refs=refs)
    return {"again": again}


async def unparked(adapter: "Adapter", peer: str, mid: str, *, user: str) -> Plain:
    """Take a parked message up again, in a user's name."""
    adapter.settings.users.find(user)
    async with adapter.store.transaction() as tx:
        taken_up = await tx.unpark(peer, mid)
        await tx.record("message.unparked", refs={"from": peer, "mid": mid, "user": user, "found": str(taken_up)})
    return {"taken_up": taken_up}


async def retention_lines(adapter: "Adapter") -> Plain:
    """Give the schedule, and how each class of the store stands."""
    async with adapter.store.snapshot() as view:
        classes = await erasure.standing(view)
    return {"days": adapter.settings.file.retention.model_dump(), "classes": [asdict(one) for one in classes]}


def retention_text(found: Plain) -> str:
    """Say it."""
    lines = [f"{name}: kept {days} days" for name, days in found["days"].items()]
    for one in found["classes"]:
        lines.append(
            f"In the store as {one['retention']}: {one['open']} open, {one['scheduled']} with a date "
            f"(next {moment(one['next_at'])}), {one['overdue']} due, {one['erased']} erased."
        )
    return "\n".join(lines)


async def erased_now(adapter: "Adapter") -> Plain:
    """Do what the running adapter does every hour."""
    done = await adapter.retention().run_once()
    return {"erased": len(done.erased), "kept_back": list(done.kept_back)}


def erased_text(done: Plain) -> str:
    """Say it."""
    kept = f" {len(done['kept_back'])} are due and kept: not settled yet." if done["kept_back"] else ""
    return f"{done['erased']} erased.{kept}"
