"""What the watch refused, verified again: entered if it verifies by today's directory, and by nothing less."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from broker.cli.main import build
from broker.watch import quarantine
from schemas.directory import canonical_bytes
from schemas.stub import Event
from tests.integration.watch.test_bad_input import BAD, good
from tests.integration.watch.watching import World, watching
from tests.unit.watch.traffic import LA, POLICE, Post, directory


async def test_a_stub_that_was_refused_by_a_directory_that_was_wrong_is_entered_by_the_right_one(
    ledger_url: str,
) -> None:
    """An agency was put out by mistake: its stub comes into the ledger at the time when it came, verified again."""
    post, world = Post(), World()
    world.directory = replace(directory(suspended=[LA]), hash=post.directory.hash)
    async with watching(ledger_url, world) as opened:
        await opened.watch.intake.handle(good(post))
        (judged,) = await quarantine.readmit(opened.ledger, post.directory)
        assert (judged.held.code, judged.refusal) == ("E07", None)
        (passage,) = await opened.ledger.passages()
        assert (passage.stub.from_, passage.received_at) == (LA, world.now)
        assert (await opened.ledger.verify()).fault is None
        assert await quarantine.size(opened.ledger) == 0
        assert await quarantine.readmit(opened.ledger, post.directory) == ()


async def test_nothing_bad_is_entered_by_being_verified_again(ledger_url: str) -> None:
    """The attack: whatever was refused for a reason of its own is readmitted with the rest."""
    async with watching(ledger_url, World()) as opened:
        post = Post(opened.world.directory)
        for spoil, _ in BAD.values():
            await opened.watch.intake.handle(spoil(post))
        judged = await quarantine.readmit(opened.ledger, opened.world.directory)
        assert judged
        assert {one.refusal.code if one.refusal else "entered" for one in judged} == {one.held.code for one in judged}
        assert (await opened.ledger.head()).entries == 0
        assert await quarantine.size(opened.ledger) == len(BAD)


def test_an_operator_is_told_what_was_entered_and_what_was_not(tmp_path: Path) -> None:
    """Stub facts are not shown: who brought it, why it was refused, and what became of it."""
    where, exported, db = directory(), tmp_path / "directory.json", f"{tmp_path}/ledger.sqlite"
    exported.write_bytes(canonical_bytes(1, where.records, where.pairs, where.suspended))

    async def refuse() -> None:
        post, world = Post(), World()
        world.directory = replace(directory(suspended=[LA]), hash=post.directory.hash)
        async with watching(f"sqlite:///{db}", world) as opened:
            await opened.watch.intake.handle(good(post))
            stray = replace(post.write(POLICE, LA, Event.HEARTBEAT), ingress_owner=LA)
            await opened.watch.intake.handle(stray)

    asyncio.run(refuse())
    arguments = ["ledger", "readmit", "--directory", str(exported), "--db", db, "--json"]
    said = CliRunner().invoke(build(arguments), arguments)
    assert said.exit_code == 1, said.output
    assert [(row["was"], row["now"]) for row in json.loads(said.stdout)] == [("E07", "entered"), ("E05", "E05")]
