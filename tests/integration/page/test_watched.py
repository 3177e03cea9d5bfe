"""The page beside a real watch: sealed envelopes in, the wall out; and the program as systemd runs it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from adapters.kit.envelope.sealing import Event
from broker.embedded import EmbeddedHub
from broker.page.live import Live
from broker.page.serving import PageOptions, served_page
from broker.page.settings import Address, PageSettings
from broker.topology import Topology
from tests.integration.watch.test_commands import export, free_port, run, until_entries
from tests.integration.watch.test_commands import watching as program
from tests.integration.watch.watching import World, watching
from tests.support.parties import make_directory, make_party
from tests.unit.watch.traffic import LA, POLICE, TELEPHONES, Post


async def test_a_sealed_request_stands_on_the_wall_until_it_is_answered(tmp_path: Path) -> None:
    """From the tap through verification, ledger, clocks and alerts to the page, with nothing made up."""
    world = World()
    post = Post(world.directory)
    lives: list[Live] = []
    async with watching(
        f"sqlite:///{tmp_path}/ledger.sqlite", world, onlookers=(lambda glance: lives[0].note(glance),)
    ) as opened:
        lives.append(Live(opened.ledger, lambda: world.now))
        options = PageOptions(Address("127.0.0.1", 0), PageSettings())
        serving = served_page(options, lives[0], ledger=opened.ledger, clock=lambda: world.now, tokens=None)
        async with serving as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await opened.watch.intake.handle(post.write(LA, POLICE, Event.REQUEST, service_class="red"))
            await opened.watch.round()
            assert "Sent, no receipt yet" in (await client.get("/")).text
            world.now += timedelta(seconds=61)
            await opened.watch.round()
            page = (await client.get("/")).text
            assert f"tel:{TELEPHONES[POLICE].replace(' ', '')}" in page
            assert "A RED request from" in page
            assert "Tilly" not in page
            answer = post.write(POLICE, LA, Event.ANSWER, now=world.now, service_class="red")
            await opened.watch.intake.handle(answer)
            await opened.watch.round()
            page = (await client.get("/")).text
            assert "I have rung them" not in page
            assert "No answer is owed." in page
            assert "has not arrived" in (await client.get("/alerts")).text  # among those that are over


def test_the_program_serves_the_page_and_ends_with_it_when_told(tmp_path: Path) -> None:
    """One process, an open stream, SIGTERM: exit code 0 within the time that systemd gives."""
    now, db, port = datetime.now(UTC), str(tmp_path / "ledger.sqlite"), free_port()
    by = {name: make_party(name, now=now) for name in (LA, POLICE)}
    where = make_directory(*by.values())
    export(where, tmp_path / "directory.json")
    one = Post(where, by=by).write(LA, POLICE, Event.REQUEST, now=now)

    async def publish() -> None:
        async with EmbeddedHub(Topology.of(where), tmp_path / "hub.sqlite") as hub:
            council = await hub.connect(LA)
            await council.publish(one.body, recipient=POLICE, lane=one.lane, attempt_id="one.1")

    async def look() -> tuple[str, int, str]:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            for _ in range(200):
                page = await client.get("/")
                if "AMBER" in page.text:
                    break
                await asyncio.sleep(0.1)
            async with client.stream("GET", "/live/wall") as stream:
                event = await anext(stream.aiter_lines())
            return page.text, (await client.get("/healthz")).status_code, event

    asyncio.run(publish())
    with program(tmp_path, db, "--metrics", "off", "--http", f"127.0.0.1:{port}"):
        until_entries(db, 1)
        page, health, event = asyncio.run(look())
    assert "Who owes what, soonest first" in page
    assert (health, event) == (200, "event: changed")


@pytest.mark.parametrize(
    ("http", "settings", "said"),
    [
        ("0.0.0.0:8080", None, "is no loopback address"),
        ("0.0.0.0:8080", "[tls]\ncertificate = '/x'\nkey = '/y'\n", "TLS keeps nobody out"),
        ("127.0.0.1", None, "HOST:PORT"),
        ("127.0.0.1:8080", "tokens = '/x'", "(tokens)"),
        ("127.0.0.1:8080", "token = '/nowhere'", "FileNotFoundError"),
    ],
)
def test_the_program_does_not_start_with_a_page_that_strangers_would_see(
    tmp_path: Path, http: str, settings: str | None, said: str
) -> None:
    """One sentence that says what to do, and exit code 1."""
    export(Post().directory, tmp_path / "directory.json")
    (tmp_path / "page.toml").write_text(settings or "")
    common = ("watch", "--hub", f"embedded:{tmp_path}/hub", "--directory", str(tmp_path / "directory.json"))
    options = ("--db", str(tmp_path / "db"), "--metrics", "off", "--http", http)
    result = run(*common, *options, "--http-settings", str(tmp_path / "page.toml"))
    assert result.exit_code == 1
    assert said in result.stderr


def test_the_program_does_not_start_with_agreements_that_it_does_not_understand(tmp_path: Path) -> None:
    """A review that is not read is a review that nobody holds."""
    export(Post().directory, tmp_path / "directory.json")
    (tmp_path / "agreements.toml").write_text("[[agreements]]\nid = 'tier-2'\n")
    common = ("watch", "--hub", f"embedded:{tmp_path}/hub", "--directory", str(tmp_path / "directory.json"))
    result = run(*common, "--db", str(tmp_path / "db"), "--agreements", str(tmp_path / "agreements.toml"))
    assert (result.exit_code, "in_force_from" in result.stderr) == (1, True)
