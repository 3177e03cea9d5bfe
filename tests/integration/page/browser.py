"""A real Chromium for tests of the page, and the accessibility checker that `make assets` fetched."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

ROOT: Final = Path(__file__).parents[3]
CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP: Final = (1440, 900)
PHONE: Final = (390, 844)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the browser of the system."""
    assert CHROMIUM.is_file(), "run make dev as root, or install the package chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser, *, size: tuple[int, int] = DESKTOP, script: bool = True, dark: bool = False
) -> AsyncIterator[Page]:
    """Open a page in a window of its own; what its console complains of fails the test at the end."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: complaints.append(fault.message))
    yield page
    await context.close()
    assert [said for said in complaints if not said.startswith("Failed to load resource")] == []


async def violations(page: Page) -> list[str]:
    """Run axe with every rule that it has, best practices included; give each violation with its places."""
    await page.evaluate(_axe())
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found["violations"]]


@cache
def _axe() -> str:
    path = ROOT / "build/web/node_modules/axe-core/axe.min.js"
    assert path.is_file(), "run make assets"
    return path.read_text("utf-8")
