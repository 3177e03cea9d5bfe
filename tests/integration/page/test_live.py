"""The page and the moment: streams, what is old, what is away, and how all of it ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from broker.ledger.engine import LedgerUnavailable
from broker.page.live import MOST_LISTENERS
from broker.page.pages import wall_page
from broker.page.serving import PageOptions, served_page
from broker.page.settings import Address, PageSettings, PageUnreadable
from tests.integration.page.stage import Stage, staged
from tests.unit.page.scene import HEALTH, IDVA, NIGHT, WELL, glance_of, night_glance, quiet


@pytest.mark.parametrize("path", ["/desk/testford-nobody", "/live/desk/testford-nobody"])
async def test_a_desk_that_is_not_there_has_no_page_and_no_stream(stage: Stage, path: str) -> None:
    """The attack: names without end, each of which the page would remember."""
    async with stage.client() as client:
        assert (await client.get(path)).status_code == 404


async def test_the_health_check_tells_whether_the_watch_still_looks(tmp_path: Path) -> None:
    """Before the first round, while it looks, when it has stopped, and when the ledger is away."""
    async with staged(tmp_path) as stage, stage.client() as client:
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/")).status_code == 503
        await stage.show(glance_of(quiet()))
        assert (await client.get("/healthz")).status_code == 200
        stage.live.note(replace(stage.shown[-1], ledgers=replace(WELL, is_up=False)))
        assert (await client.get("/healthz")).status_code == 503
        stage.live.note(stage.shown[-1])
        stage.now += timedelta(seconds=31)
        assert (await client.get("/healthz")).status_code == 503


async def test_a_page_that_shows_the_past_says_so_first(stage: Stage) -> None:
    """The attack: a watch that hangs looks like a quiet night."""
    await stage.show(glance_of(quiet()))
    async with stage.client() as client:
        assert "Nothing to do now" in (await client.get("/")).text
        stage.now += timedelta(minutes=3)
        page = (await client.get("/")).text
    assert "<title>The watch has stopped looking" in page
    assert "Nothing to do now" not in page


async def test_a_round_without_ledger_keeps_the_alerts_that_stood(stage: Stage) -> None:
    """The attack: the database goes away, nothing is judged, and the wall turns calm."""
    stage.live.note(replace(stage.shown[-1], alerts=(), ledgers=replace(WELL, is_up=False)))
    async with stage.client() as client:
        page = (await client.get("/")).text
    assert "The ledger does not answer" in page
    assert "A RED request from Testfordshire Council has not arrived" in page


async def test_a_book_that_cannot_be_read_hides_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts are shown as new, and the page says why."""

    async def away(_ledger: object) -> None:
        raise LedgerUnavailable

    monkeypatch.setattr("broker.page.live.listed_standing", away)
    stage.live.note(stage.shown[-1])
    async with stage.client() as client:
        page = (await client.get("/")).text
    assert "The ledger does not answer" in page
    assert "A RED request from Testfordshire Council has not arrived" in page


async def events_of(stream: httpx2.Response) -> AsyncIterator[tuple[str, str]]:
    kind = ""
    async for line in stream.aiter_lines():
        name, _, value = line.partition(": ")
        kind = value if name == "event" else kind
        if name == "data":
            yield kind, value


async def read_events(stage: Stage, path: str, count: int, begun: asyncio.Event | None = None) -> list[tuple[str, str]]:
    begun, events = begun or asyncio.Event(), []
    async with stage.client() as client, client.stream("GET", path) as stream:
        async for event in events_of(stream):
            events.append(event)
            begun.set()
            if len(events) == count:
                break
    return events


async def events_until(events: AsyncIterator[tuple[str, str]], kind: str) -> list[tuple[str, str]]:
    seen = [await anext(events)]
    while seen[-1][0] != kind:
        seen.append(await anext(events))
    return seen


async def test_a_stream_tells_a_change_and_beats_in_between(stage: Stage) -> None:
    """The first word says what there is to draw; a beat tells silence from calm; a change has another digest."""
    async with stage.client() as client, client.stream("GET", "/live/wall") as stream:
        events = events_of(stream)
        first, *beats = await events_until(events, "beat")
        await stage.show(glance_of(quiet()))
        *_, change = await events_until(events, "changed")
        *_, beat = await events_until(events, "beat")
    assert (first[0], [kind for kind, _ in beats]) == ("changed", ["beat"])
    assert first[1] == beats[0][1] != change[1] == beat[1]


async def test_a_desks_stream_is_silent_about_others(stage: Stage) -> None:
    """What changes for one agency is no event at another's desk."""
    reading = asyncio.create_task(read_events(stage, f"/live/desk/{HEALTH}", 3, begun := asyncio.Event()))
    await begun.wait()
    glance = stage.shown[-1]
    others = tuple(one for one in glance.view.standings if one.responder in (HEALTH, IDVA))
    kept = tuple(alert for alert in glance.alerts if alert.participant == HEALTH)
    await stage.show(replace(glance, alerts=kept, view=replace(glance.view, standings=others)))
    events = await reading
    assert [kind for kind, _ in events] == ["changed", "beat", "beat"]


async def test_no_more_pages_are_kept_live_than_the_watch_can_bear(stage: Stage) -> None:
    """The attack: a script that opens streams without end."""
    listeners = [stage.live.listen("wall", wall_page) for _ in range(MOST_LISTENERS)]
    for listener in listeners:
        await anext(listener)
    async with stage.client() as client:
        assert (await client.get("/live/wall")).status_code == 503
        assert (await client.get("/")).status_code == 200
    for listener in listeners:
        await listener.aclose()  # type: ignore[attr-defined]  # an asynchronous generator


async def test_stopping_ends_open_streams_at_once(tmp_path: Path) -> None:
    """A watch that is told to stop waits for no browser: the stream is ended whole, and not cut off after a while."""
    async with staged(tmp_path, glances=[night_glance()]) as stage:
        reading = asyncio.create_task(read_events(stage, "/live/wall", 1000, begun := asyncio.Event()))
        await begun.wait()
    assert await reading


async def test_an_address_that_is_taken_is_refused_before_the_watch_starts(stage: Stage) -> None:
    """With a sentence, not with a traceback or an exit of the server's own."""
    port = int(stage.url.rpartition(":")[2])
    options = PageOptions(Address("127.0.0.1", port), PageSettings())
    with pytest.raises(PageUnreadable, match="cannot listen"):
        async with served_page(options, stage.live, ledger=stage.ledger, clock=lambda: NIGHT, tokens=None):
            pytest.fail("served twice on one port")
