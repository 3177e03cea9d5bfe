"""The page in Chromium: for everybody, at every width, with and without scripts, and live."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from broker.alerts.tokens import Claim
from broker.page.settings import PageSettings
from broker.watch.glance import Glance
from tests.integration.page.browser import DESKTOP, PHONE, chromium, violations, visiting
from tests.integration.page.stage import TOKENS, Stage, staged
from tests.unit.page.scene import HEALTH, IDVA, NIGHT, WELL, figures, glance_of, night, night_glance, quiet

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.timeout(240)]
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
THEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def link_of(stage: Stage, participant: str) -> str:
    number = next(row.entry.number for row in await stage.book() if row.entry.alert.participant == participant)
    return f"/a/{TOKENS.make(Claim(number, participant, 'contact-officer'), now=NIGHT)}"


@THEMES
@SIZES
async def test_no_page_has_an_accessibility_violation(
    stage: Stage, browser: Browser, size: tuple[int, int], dark: bool
) -> None:
    """Every page there is, with everything on it that can be, in every state, by every rule of axe."""
    troubled = replace(stage.shown[-1], ledgers=replace(WELL, is_up=False))
    states: list[tuple[Glance, timedelta, tuple[str, ...]]] = [
        (night_glance(), timedelta(0), ("/", "/alerts", f"/desk/{HEALTH}", await link_of(stage, IDVA), "/nowhere")),
        (troubled, timedelta(minutes=9), ("/", "/alerts", f"/desk/{HEALTH}")),
        (glance_of(quiet()), timedelta(0), ("/", "/alerts", f"/desk/{HEALTH}", "/sign-in")),
    ]
    found: list[str] = []
    async with visiting(browser, size=size, dark=dark) as page:
        for glance, later, paths in states:
            await stage.show(glance)
            stage.now += later
            for path in paths:
                await page.goto(stage.url + path)
                await page.wait_for_selector("body.js-enabled")
                found += [f"{path}: {one}" for one in await violations(page)]
    assert found == []


@pytest.mark.parametrize(("dark", "expected"), [(False, "rgb(255, 255, 255)"), (True, "rgb(20, 25, 28)")])
async def test_the_page_is_dark_for_who_has_set_it_so(
    stage: Stage, browser: Browser, dark: bool, expected: str
) -> None:
    """Nobody looks all night at a white wall in a dark room."""
    async with visiting(browser, dark=dark) as page:
        await page.goto(stage.url)
        shown = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert shown == expected


async def test_axe_does_see_a_violation(stage: Stage, browser: Browser) -> None:
    """The checker checks: a picture without words is found."""
    async with visiting(browser) as page:
        await page.goto(stage.url)
        await page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert [one.partition(":")[0] for one in await violations(page)] == ["image-alt"]


@SIZES
async def test_what_to_do_is_seen_without_scrolling(stage: Stage, browser: Browser, size: tuple[int, int]) -> None:
    """Three in the morning, two seconds: the headline, whom to ring and the number are in the first view."""
    async with visiting(browser, size=size) as page:
        await page.goto(stage.url)
        for what in (
            page.locator("#headline"),
            page.locator(".app-call__whom").first,
            page.locator(".app-call a").first,
        ):
            await expect(what).to_be_in_viewport(ratio=1)
        assert await page.locator("#headline").inner_text() == "Ring 3 desks now"
        assert await page.locator(".app-call a").first.get_attribute("href") == "tel:01632960150"


@SIZES
@pytest.mark.parametrize("path", ["/", "/alerts", f"/desk/{HEALTH}"])
async def test_no_page_scrolls_sideways(stage: Stage, browser: Browser, size: tuple[int, int], path: str) -> None:
    """WCAG 1.4.10, with the longest names there are."""
    async with visiting(browser, size=size) as page:
        await page.goto(stage.url + path)
        wide = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1]


async def test_a_change_arrives_without_a_reload(stage: Stage, browser: Browser) -> None:
    """The document stays, its content and title change, and a screen reader is told the new headline."""
    async with visiting(browser) as page:
        await page.goto(stage.url)
        await page.evaluate("window.stayed = true")
        await expect(page.locator("tbody .app-row")).to_have_count(7)
        await stage.show(glance_of(quiet(), figures=figures()))
        await expect(page.locator("#headline")).to_have_text("Nothing to do now", timeout=5000)
        await expect(page.locator("#announce")).to_have_text("Nothing to do now")
        await expect(page.locator("tbody .app-row")).to_have_count(0)
        assert await page.title() == "Nothing to do now – MASH hub"
        assert await page.evaluate("window.stayed") is True


async def test_a_change_takes_the_focus_from_nobody(stage: Stage, browser: Browser) -> None:
    """Whoever stands on a link with the keyboard stands there afterwards."""
    async with visiting(browser) as page:
        await page.goto(stage.url)
        await page.locator(f"#desk-{HEALTH}").focus()
        await stage.show(glance_of(quiet()))
        await expect(page.locator("#headline")).to_have_text("Nothing to do now", timeout=5000)
        assert await page.evaluate("document.activeElement.id") == f"desk-{HEALTH}"


async def test_a_page_that_is_cut_off_says_so(tmp_path: Path, browser: Browser) -> None:
    """The attack: the hub goes away and the last picture of a calm night stays on the screen."""
    async with visiting(browser) as page:
        async with staged(tmp_path, glances=[glance_of(quiet())]) as stage:
            await page.clock.install()
            await page.goto(stage.url)
            await expect(page.locator("#headline")).to_have_text("Nothing to do now")
            await expect(page.locator("#lost")).to_be_hidden()
        await page.clock.fast_forward(25_000)
        await expect(page.locator("#lost")).to_contain_text("Not live since")
        await expect(page.locator("#lost")).to_be_in_viewport()


async def test_everything_works_without_scripts(stage: Stage, browser: Browser) -> None:
    """The wall is whole, loads itself again, and its buttons work."""
    async with visiting(browser, script=False) as page:
        await page.goto(stage.url)
        await expect(page.locator("#headline")).to_have_text("Ring 3 desks now")
        await expect(page.locator("tbody .app-row")).to_have_count(7)
        assert await page.locator('meta[http-equiv="refresh"]').get_attribute("content") == "15"
        await page.get_by_role("button", name="I have rung them").first.click()
        await expect(page.locator("#headline")).to_have_text("Ring 2 desks now")
        await page.get_by_role("link", name="see who has seen them").click()
        await expect(page.locator("main")).to_contain_text("Seen by The hub itself, control room, today 03:04")


async def test_a_page_stands_still_for_whoever_reads_slowly(stage: Stage, browser: Browser) -> None:
    """WCAG 2.2.1: without scripts too, a page that loads itself again can be told not to."""
    async with visiting(browser, script=False) as page:
        await page.goto(stage.url)
        await page.get_by_role("link", name="Let it stand still").click()
        assert await page.locator('meta[http-equiv="refresh"]').count() == 0
        await page.get_by_role("link", name="Load it again every 15 seconds").click()
        assert await page.locator('meta[http-equiv="refresh"]').count() == 1


async def test_a_page_loads_itself_again_without_scripts(stage: Stage, browser: Browser) -> None:
    """The browser's own clock does it; here it is only told to hurry."""
    async with visiting(browser, script=False) as page:
        await page.route("**/", _hurried)
        await page.goto(stage.url)
        await stage.show(glance_of(quiet()))
        await expect(page.locator("#headline")).to_have_text("Nothing to do now", timeout=10_000)


async def _hurried(route: object) -> None:
    answer = await route.fetch()  # type: ignore[attr-defined]  # playwright's route
    body = (await answer.text()).replace('content="15"', 'content="1"')
    await route.fulfill(response=answer, body=body)  # type: ignore[attr-defined]  # likewise


async def focus_is_visible(page: Page) -> bool:
    """Compare how an element looks with and without the focus."""
    return bool(
        await page.evaluate(
            """() => {
            const one = document.activeElement;
            const look = () => { const s = getComputedStyle(one);
                return [s.outlineStyle + s.outlineColor + s.outlineWidth, s.boxShadow, s.backgroundColor].join("|"); };
            const focused = look(); one.blur(); const plain = look(); one.focus();
            return focused !== plain; }"""
        )
    )


@pytest.mark.parametrize("path", ["/", "/alerts", f"/desk/{HEALTH}", "/sign-in"])
async def test_the_keyboard_reaches_everything_and_is_seen_where_it_is(
    stage: Stage, browser: Browser, path: str
) -> None:
    """WCAG 2.1.1 and 2.4.7: the skip link first, then every link and button in order, each with a visible focus."""
    async with visiting(browser) as page:
        await page.goto(stage.url + path)
        await page.wait_for_selector("body.js-enabled")
        ways = page.locator("a[href]:visible, button:visible, input:not([type=hidden]):visible")
        for place in range(await ways.count()):
            await page.keyboard.press("Tab")
            if place == 0:
                assert await page.evaluate("document.activeElement.className") == "govuk-skip-link"
            assert await ways.nth(place).evaluate("one => one === document.activeElement"), place
            assert await focus_is_visible(page), place


async def test_colour_is_never_the_only_sign(stage: Stage, browser: Browser) -> None:
    """In forced colours and in grey, every row still says how it stands: by a sign and in words."""
    async with visiting(browser) as page:
        await page.goto(stage.url)
        marks = await page.locator("tbody .app-row .app-mark").all_inner_texts()
        ratings = await page.locator("tbody .app-row .app-rating").all_inner_texts()
    assert marks[:4] == ["▲ Act now", "◐ Due soon", "▲ Act now", "▲ Act now"]
    assert set(marks[4:]) == {"● In time"}
    assert ratings == ["RED"] * 4 + ["AMBER"] * 2 + ["GREEN"]


async def test_a_desk_sees_a_new_alert_in_its_tab_and_its_browser_notifies(tmp_path: Path, browser: Browser) -> None:
    """A duty officer who looks elsewhere is told; the notice holds a number and no name."""
    async with staged(tmp_path, glances=[glance_of(quiet())]) as stage, visiting(browser) as page:
        await page.add_init_script(
            """window.notices = [];
            window.Notification = class { constructor(title, more) { window.notices.push([title, more.body]); }
                static permission = "default";
                static async requestPermission() { Notification.permission = "granted"; return "granted"; } };"""
        )
        await page.goto(f"{stage.url}/desk/{IDVA}")
        assert await page.title() == "No new alert for Testford IDVA service – MASH hub"
        await page.get_by_role("button", name="Show new alerts on this computer").click()
        await expect(page.locator("#notify-said")).to_have_text("New alerts will be shown on this computer.")
        await stage.show(glance_of(night()))
        await expect(page.locator("#headline")).to_have_text("1 new alert", timeout=5000)
        assert (await page.title()).startswith("(1) 1 new alert")
        assert await page.evaluate("window.notices") == [["MASH hub", "1 new alert"]]
        await page.get_by_role("button", name="We have seen this").click()
        await expect(page.locator("#headline")).to_have_text("No new alert")


async def test_an_open_page_leads_to_the_sign_in_when_its_session_has_ended(tmp_path: Path, browser: Browser) -> None:
    """The attack: a wall that somebody left open goes on showing for days what its session no longer may."""
    path, token = tmp_path / "token", secrets.token_hex(32)
    path.write_text(token)
    path.chmod(0o600)
    settings = PageSettings(token=path)
    async with staged(tmp_path, glances=[night_glance()], settings=settings) as stage, visiting(browser) as page:
        await page.goto(stage.url)
        await page.get_by_label("Token of the control room or of your desk").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#headline")).to_have_text("Ring 3 desks now")
        await stage.show(glance_of(quiet(NIGHT + timedelta(hours=12))))
        await expect(page.locator("h1")).to_have_text("Sign in to the MASH hub", timeout=10_000)
        await expect(page.locator("tbody")).to_have_count(0)


async def test_a_page_whose_session_ended_before_its_first_word_leads_to_the_sign_in(
    tmp_path: Path, browser: Browser
) -> None:
    """The attack's other half: a refused stream is final for the browser, and the wall behind it would stand."""
    path, token = tmp_path / "token", secrets.token_hex(32)
    path.write_text(token)
    path.chmod(0o600)
    settings, late = PageSettings(token=path), asyncio.Event()

    async def hold(route: Route) -> None:
        await late.wait()
        await route.continue_()

    async with staged(tmp_path, glances=[night_glance()], settings=settings) as stage, visiting(browser) as page:
        await page.route("**/live/wall", hold)
        await page.goto(stage.url)
        await page.get_by_label("Token of the control room or of your desk").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#headline")).to_have_text("Ring 3 desks now")
        await stage.show(glance_of(quiet(NIGHT + timedelta(hours=12))))
        late.set()
        await expect(page.locator("h1")).to_have_text("Sign in to the MASH hub", timeout=10_000)


async def test_a_person_signs_in_and_out(tmp_path: Path, browser: Browser) -> None:
    """With a wrong token first; the error is said in words, next to the field and above the page."""
    path, token = tmp_path / "token", secrets.token_hex(32)
    path.write_text(token)
    path.chmod(0o600)
    settings = PageSettings(token=path)
    async with staged(tmp_path, glances=[night_glance()], settings=settings) as stage, visiting(browser) as page:
        await page.goto(stage.url)
        await page.get_by_label("Token of the control room or of your desk").fill("not the token")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator(".govuk-error-summary")).to_contain_text("This is no token of this page")
        assert await violations(page) == []
        await page.get_by_label("Token of the control room or of your desk").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#headline")).to_have_text("Ring 3 desks now")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.locator("h1")).to_have_text("Sign in to the MASH hub")
