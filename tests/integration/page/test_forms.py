"""Acknowledging over real HTTP: what a form needs, what a link does, and what no other site can make a browser do."""

from datetime import timedelta
from pathlib import Path

import pytest

from broker.alerts.tokens import Claim
from tests.integration.page.stage import TOKENS, Stage, form_token, staged
from tests.unit.page.scene import HEALTH, IDVA, NIGHT, night_glance


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
