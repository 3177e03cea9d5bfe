"""The page over real HTTP: who may see what, what a form needs, what every answer carries, and what no attack gets."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from broker.alerts.tokens import Claim
from broker.ledger_engine import LedgerUnavailable
from broker.page.guard import HEADERS
from broker.page.live import MOST_LISTENERS
from broker.page.pages import wall_page
from broker.page.serving import PageOptions, served_page
from broker.page.settings import Address, PageSettings, PageUnreadable
from tests.integration.page.stage import TOKENS, Stage, form_token, staged
from tests.unit.page.scene import HEALTH, IDVA, NIGHT, WELL, directory, glance_of, night, night_glance, quiet

PAGES = ("/", "/alerts", f"/desk/{HEALTH}")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, glances=[night_glance()]) as opened:
        yield opened


def token_file(folder: Path, name: str) -> tuple[Path, str]:
    path, token = folder / name, secrets.token_hex(32)
    path.write_text(token + "\n")
    path.chmod(0o600)
    return path, token


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/healthz", "/nowhere", "/static/page.css", "/a/x"])
async def test_every_answer_carries_every_header_of_the_guard(stage: Stage, path: str) -> None:
    """Also errors, also files: nothing is framed, cached, sniffed, or runs a script that is not ours."""
    async with stage.client() as client:
        answer = await client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


async def test_no_page_holds_a_script_or_a_style_of_its_own(stage: Stage) -> None:
    """The policy would stop them; a page that needs none works under it."""
    async with stage.client() as client:
        for path in (*PAGES, "/sign-in"):
            page = (await client.get(path)).text
            assert page.count("<script") == 1
            assert '<script type="module" src="/static/page.js"></script>' in page
            assert "style=" not in page
            assert "onclick" not in page


async def test_the_wall_says_what_to_do_before_anything_else(stage: Stage) -> None:
    """Headline, then calls with telephone numbers, then the wall by time."""
    async with stage.client() as client:
        page = (await client.get("/")).text
    places = [page.index(text) for text in ("Ring 3 desks now", "tel:01632960150", "Who owes what, soonest first")]
    assert places == sorted(places)


async def test_a_name_that_the_page_was_not_given_is_refused(stage: Stage) -> None:
    """The attack: DNS rebinding, a stranger's name that leads to this address."""
    async with stage.client(headers={"Host": "wall.attacker.example"}) as client:
        answer = await client.get("/")
    assert answer.status_code == 403
    assert "Ring" not in answer.text


async def test_a_script_in_a_path_is_shown_as_text(stage: Stage) -> None:
    """The attack: reflected markup."""
    async with stage.client() as client:
        answer = await client.get("/desk/<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


async def test_an_organisation_that_calls_itself_a_script_is_shown_as_text(stage: Stage) -> None:
    """The attack: an agency publishes markup as its name or its telephone number, under its own good signature."""
    name, ring = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    record = directory().records[HEALTH].model_copy(update={"name": name, "duty_telephone": ring})
    others = [one for who, one in directory().records.items() if who != HEALTH]
    forged = type(directory()).build(2, [*others, record], directory().pairs.values())
    await stage.show(glance_of(night(), directory=forged))
    async with stage.client() as client:
        for path in PAGES:
            page = (await client.get(path)).text
            assert "alert(1)" in page
            assert "<script>alert" not in page
            assert "<img" not in page


async def seen_numbers(stage: Stage) -> set[int]:
    return {row.entry.number for row in await stage.book() if row.acknowledgement}


async def test_the_operator_says_that_alerts_are_seen(stage: Stage) -> None:
    """As the control room, and the wall asks for that call no longer."""
    numbers = [row.entry.number for row in await stage.book() if row.entry.alert.participant == HEALTH]
    async with stage.client() as client:
        token = form_token((await client.get("/")).text)
        answer = await client.post("/acknowledge", data={"form": token, "page": "wall", "alert": [*map(str, numbers)]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = (await client.get("/")).text
    rows = {row.entry.number: row.acknowledgement for row in await stage.book()}
    assert {(rows[number] or pytest.fail("not seen")).by for number in numbers} == {"control-room"}
    assert "Ring 2 desks now" in page
    assert await seen_numbers(stage) == set(numbers)


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://attacker.example"}],
)
async def test_a_form_from_another_site_changes_nothing(stage: Stage, headers: dict[str, str]) -> None:
    """The attack: a page elsewhere posts with this browser's cookies, and has even got hold of a token."""
    async with stage.client() as client:
        token = form_token((await client.get("/")).text)
        answer = await client.post("/acknowledge", data={"form": token, "alert": "1"}, headers=headers)
    assert answer.status_code == 403
    assert await seen_numbers(stage) == set()


@pytest.mark.parametrize("path", ["/", "/live/wall", "/static/page.js"])
async def test_another_site_may_lead_here_and_take_nothing_in(stage: Stage, path: str) -> None:
    """The attack: a page elsewhere opens our streams until none is left, or looks for us with pictures and scripts."""
    async with stage.client(headers={"Sec-Fetch-Site": "cross-site"}) as client:
        assert (await client.get(path, headers={"Sec-Fetch-Mode": "no-cors"})).status_code == 403
        assert (await client.get("/", headers={"Sec-Fetch-Mode": "navigate"})).status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "another visit's"])
async def test_a_form_without_this_visits_token_changes_nothing(stage: Stage, token: str) -> None:
    """The attack: an old browser that says nothing of origins is led to post."""
    async with stage.client() as client, stage.client() as other:
        await client.get("/")
        foreign = form_token((await other.get("/")).text)
        sent = foreign if token == "another visit's" else token
        answer = await client.post("/acknowledge", data={"form": sent, "alert": "1"})
        assert answer.status_code == 403
    async with stage.client() as stranger:
        assert (await stranger.post("/acknowledge", data={"form": foreign, "alert": "1"})).status_code == 403
    assert await seen_numbers(stage) == set()


@pytest.mark.parametrize("path", ["/acknowledge", "/sign-out"])
async def test_reading_changes_nothing(stage: Stage, path: str) -> None:
    """The attack: an image in a mail whose address acknowledges."""
    async with stage.client() as client:
        assert (await client.get(f"{path}?alert=1")).status_code == 405
    assert await seen_numbers(stage) == set()


async def test_a_form_that_is_too_large_is_not_read(stage: Stage) -> None:
    """The attack: a body without end."""
    async with stage.client() as client:
        await client.get("/")
        assert (await client.post("/acknowledge", content=b"a" * 20_000)).status_code == 413


async def test_the_way_back_leads_nowhere_else(stage: Stage) -> None:
    """The attack: an open redirect through the field that says where the form was."""
    async with stage.client() as client:
        token = form_token((await client.get("/")).text)
        for desk in ("//attacker.example", "../../x", "a/b", "a%2f"):
            answer = await client.post("/acknowledge", data={"form": token, "desk": desk})
            assert answer.headers["location"] == "/alerts"


async def test_a_scanner_that_follows_a_link_acknowledges_nothing(stage: Stage) -> None:
    """Mail scanners open links; only a person's press of the button counts, as the post that was told."""
    (number,) = [row.entry.number for row in await stage.book() if row.entry.alert.participant == IDVA]
    link = f"/a/{TOKENS.make(Claim(number, IDVA, 'contact-officer'), now=NIGHT)}"
    async with stage.client() as client:
        page = await client.get(link)
        assert page.status_code == 200
        assert "Open it in your inbox now." in page.text
        assert await seen_numbers(stage) == set()
        answer = await client.post(link, data={"form": form_token(page.text)})
        assert (answer.status_code, answer.headers["location"]) == (303, link)
        assert "Seen by Testford IDVA service, contact officer" in (await client.get(link)).text
    assert await seen_numbers(stage) == {number}


async def test_a_link_is_acknowledged_from_its_own_page_alone(stage: Stage) -> None:
    """The attack: whoever learns a link makes somebody's browser post to it."""
    (number,) = [row.entry.number for row in await stage.book() if row.entry.alert.participant == IDVA]
    link = f"/a/{TOKENS.make(Claim(number, IDVA, 'deputy'), now=NIGHT)}"
    async with stage.client() as client:
        await client.get("/")
        assert (await client.post(link)).status_code == 403
    assert await seen_numbers(stage) == set()


async def test_a_link_shows_its_alert_and_no_other(stage: Stage) -> None:
    """Least disclosure: whoever holds a forwarded mail sees one reference."""
    (number,) = [row.entry.number for row in await stage.book() if row.entry.alert.participant == IDVA]
    async with stage.client() as client:
        page = (await client.get(f"/a/{TOKENS.make(Claim(number, IDVA, 'deputy'), now=NIGHT)}")).text
    assert "Testford Health" not in page
    assert "Probation" not in page


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda token: token, 410),
        (lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"), 404),
        (lambda token: token[:8], 404),
        (lambda _: "x" * 5000, 404),
    ],
    ids=["expired", "changed", "cut", "long"],
)
async def test_a_link_that_is_not_good_leads_to_nothing(stage: Stage, change: object, status: int) -> None:
    """Forged, cut and unknown look alike; only an expired one may say that it has expired."""
    old = TOKENS.make(Claim(1, IDVA, "deputy"), now=NIGHT - timedelta(days=8))
    async with stage.client() as client:
        answer = await client.get(f"/a/{change(old)}")  # type: ignore[operator]  # a function of the table above
    assert answer.status_code == status
    assert "REQUEST" not in answer.text.upper().replace("REQUESTS", "")


async def test_no_link_is_good_where_none_were_sent(tmp_path: Path) -> None:
    """Empty means no."""
    async with staged(tmp_path, glances=[night_glance()], tokens=None) as stage, stage.client() as client:
        link = f"/a/{TOKENS.make(Claim(1, IDVA, 'deputy'), now=NIGHT)}"
        assert (await client.get(link)).status_code == 404


async def sign_in(stage: Stage, client: object, token: str) -> int:
    page = (await client.get("/sign-in")).text  # type: ignore[attr-defined]  # a client of the stage
    answer = await client.post("/sign-in", data={"form": form_token(page), "token": token})  # type: ignore[attr-defined]
    return int(answer.status_code)


async def test_with_a_token_nobody_is_anybody_until_they_have_shown_it(tmp_path: Path) -> None:
    """The wall, the alerts, the desks and the streams are shut; a wrong token opens nothing."""
    path, token = token_file(tmp_path, "operator")
    async with (
        staged(tmp_path, glances=[night_glance()], settings=PageSettings(token=path)) as stage,
        stage.client() as client,
    ):
        for shut in (*PAGES, "/live/wall", "/live/alerts", f"/live/desk/{HEALTH}"):
            answer = await client.get(shut)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert await sign_in(stage, client, secrets.token_hex(32)) == 403
        assert (await client.get("/")).status_code == 303
        assert await sign_in(stage, client, token) == 303
        assert (await client.get("/")).status_code == 200


async def test_a_desks_token_opens_that_desk_and_nothing_else(tmp_path: Path) -> None:
    """Least disclosure: the duty desk of one agency sees neither the wall nor another's desk nor another's alert."""
    path, _ = token_file(tmp_path, "operator")
    desk, token = token_file(tmp_path, "desk")
    settings = PageSettings(token=path, desks={HEALTH: desk})
    async with staged(tmp_path, glances=[night_glance()], settings=settings) as stage, stage.client() as client:
        assert await sign_in(stage, client, token) == 303
        own = await client.get(f"/desk/{HEALTH}")
        assert own.status_code == 200
        for shut in ("/", "/alerts", f"/desk/{IDVA}", "/live/wall", f"/live/desk/{IDVA}"):
            assert (await client.get(shut)).status_code == 403
        form = {"form": form_token(own.text), "alert": [str(row.entry.number) for row in await stage.book()]}
        answer = await client.post("/acknowledge", data=form)
        assert answer.headers["location"] == f"/desk/{HEALTH}"
        seen = [row for row in await stage.book() if row.acknowledgement]
        assert {row.entry.alert.participant for row in seen} == {HEALTH}
        assert {row.acknowledgement.by for row in seen if row.acknowledgement} == {"duty-desk"}


async def test_a_session_ends_with_the_shift_and_on_signing_out(tmp_path: Path) -> None:
    """A cookie that somebody copied is good for twelve hours at most, and for no moment after the sign-out."""
    path, token = token_file(tmp_path, "operator")
    async with staged(tmp_path, glances=[night_glance()], settings=PageSettings(token=path)) as stage:
        async with stage.client() as client:
            await sign_in(stage, client, token)
            copied = dict(client.cookies)
            form = form_token((await client.get("/")).text)
            await client.post("/sign-out", data={"form": form})
        async with stage.client(cookies=copied) as thief:
            assert (await thief.get("/")).status_code == 303
        async with stage.client() as client:
            await sign_in(stage, client, token)
            stage.now += timedelta(hours=12)
            assert (await client.get("/alerts")).status_code == 303


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(tmp_path: Path) -> None:
    """HttpOnly and SameSite=Strict, both of them."""
    path, token = token_file(tmp_path, "operator")
    async with (
        staged(tmp_path, glances=[night_glance()], settings=PageSettings(token=path)) as stage,
        stage.client() as client,
    ):
        page = await client.get("/sign-in")
        answer = await client.post("/sign-in", data={"form": form_token(page.text), "token": token})
    for cookie in (page.headers["set-cookie"], answer.headers["set-cookie"]):
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie


async def test_nobody_but_the_proxy_is_heard_behind_one(tmp_path: Path) -> None:
    """The attack: walking around the proxy that authenticates."""
    async with (
        staged(tmp_path, glances=[night_glance()], settings=PageSettings(proxies=("192.0.2.7",))) as stage,
        stage.client() as client,
    ):
        assert (await client.get("/")).status_code == 403
    async with (
        staged(tmp_path, glances=[night_glance()], settings=PageSettings(proxies=("127.0.0.1",))) as stage,
        stage.client() as client,
    ):
        assert (await client.get("/")).status_code == 200


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


async def read_events(stage: Stage, path: str, count: int) -> list[tuple[str, str]]:
    events: list[tuple[str, str]] = []
    async with stage.client() as client, client.stream("GET", path) as stream:
        async for event in events_of(stream):
            events.append(event)
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
    reading = asyncio.create_task(read_events(stage, f"/live/desk/{HEALTH}", 3))
    await asyncio.sleep(0.2)
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
        reading = asyncio.create_task(read_events(stage, "/live/wall", 1000))
        await asyncio.sleep(0.3)
    assert await reading


async def test_an_address_that_is_taken_is_refused_before_the_watch_starts(stage: Stage) -> None:
    """With a sentence, not with a traceback or an exit of the server's own."""
    port = int(stage.url.rpartition(":")[2])
    options = PageOptions(Address("127.0.0.1", port), PageSettings())
    with pytest.raises(PageUnreadable, match="cannot listen"):
        async with served_page(options, stage.live, ledger=stage.ledger, clock=lambda: NIGHT, tokens=None):
            pytest.fail("served twice on one port")
