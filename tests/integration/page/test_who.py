"""Who may see what over real HTTP: tokens, desks, sessions, cookies, and a proxy."""

import secrets
from datetime import timedelta
from pathlib import Path

from broker.page.settings import PageSettings
from tests.integration.page.stage import Stage, form_token, staged
from tests.unit.page.scene import HEALTH, IDVA, night_glance

PAGES = ("/", "/alerts", f"/desk/{HEALTH}")


def token_file(folder: Path, name: str) -> tuple[Path, str]:
    path, token = folder / name, secrets.token_hex(32)
    path.write_text(token + "\n")
    path.chmod(0o600)
    return path, token


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
        for shut in PAGES:
            answer = await client.get(shut)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        for stream in ("/live/wall", "/live/alerts", f"/live/desk/{HEALTH}"):
            answer = await client.get(stream)
            assert (answer.status_code, answer.content) == (403, b"")
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
