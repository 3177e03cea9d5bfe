"""The page on a stage: a real ledger, a real server on a port of its own, and a watch that shows what a test says."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx2

from broker.alerts import book
from broker.alerts.listing import Listed, listed_standing
from broker.alerts.tokens import Tokens
from broker.ledger.ledger import Ledger
from broker.page.live import Live
from broker.page.serving import PageOptions, served_page
from broker.page.settings import Address, PageSettings
from broker.watch.glance import Glance
from tests.unit.page.scene import NIGHT

TOKENS = Tokens([b"a synthetic key of thirty-two byte"])


@dataclass
class Stage:
    """The page, its address, and the hands that move the world."""

    ledger: Ledger
    live: Live
    now: datetime = NIGHT
    url: str = ""
    scheme: str = "http"
    shown: list[Glance] = field(default_factory=list)

    async def show(self, glance: Glance) -> None:
        """Let a round of the watch end: the book of alerts is written, then whoever looks on is told."""
        self.now = glance.view.now
        await book.write(self.ledger, glance.alerts, now=self.now - timedelta(minutes=2))
        self.shown.append(glance)
        self.live.note(glance)

    async def book(self) -> tuple[Listed, ...]:
        """Read what stands."""
        return await listed_standing(self.ledger)

    def client(self, **options: object) -> httpx2.AsyncClient:
        """A browser without a screen: keeps cookies, follows nothing by itself."""
        return httpx2.AsyncClient(base_url=self.url, timeout=10, **options)  # type: ignore[arg-type]  # httpx's own options


@asynccontextmanager
async def staged(
    folder: Path,
    *,
    glances: Iterable[Glance] = (),
    settings: PageSettings | None = None,
    tokens: Tokens | None = TOKENS,
) -> AsyncIterator[Stage]:
    """Open the ledger and serve the page."""
    async with Ledger.opened(f"sqlite:///{folder}/ledger.sqlite", now=NIGHT) as ledger:
        stage = Stage(ledger, Live(ledger, lambda: stage.now, beat=0.5))
        for glance in glances:
            await stage.show(glance)
        options = PageOptions(Address("127.0.0.1", 0), settings or PageSettings())
        async with served_page(options, stage.live, ledger=ledger, clock=lambda: stage.now, tokens=tokens) as port:
            stage.url = f"{'https' if options.settings.tls else 'http'}://127.0.0.1:{port}"
            yield stage


def form_token(page: str) -> str:
    """Read the hidden field that a form sends back."""
    return page.partition('name="form" value="')[2].partition('"')[0]
