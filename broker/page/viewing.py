"""Looking: the wall, the alerts, a desk, and the streams that keep them live. Nothing here changes anything."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from broker.alerts.listing import Listed, listed_recent
from broker.ledger.engine import LedgerUnavailable
from broker.page import pages
from broker.page.asking import Asker
from broker.page.board import STALE_AFTER, Board
from broker.page.live import TooManyListeners
from broker.page.parts import Parts, is_desk

Make = Callable[[Board], pages.Page]


@dataclass(frozen=True)
class Viewing:
    """The answers to GET."""

    parts: Parts

    async def wall(self, request: Request) -> Response:
        """Show who owes what by when."""
        asker = self.parts.operator(request)
        made = await self.parts.page("wall", pages.wall_page)
        return await self.parts.draw(asker, "wall.html", page=made.page, digest=made.digest, live="/live/wall")

    async def alerts(self, request: Request) -> Response:
        """Show the alerts with their stories."""
        asker = self.parts.operator(request)
        plain = await self.parts.page("alerts", pages.alerts_page)
        page = pages.alerts_page(plain.board, await self._recent())
        return await self.parts.draw(asker, "alerts.html", page=page, digest=plain.digest, live="/live/alerts")

    async def desk(self, request: Request) -> Response:
        """Show one duty desk what is its own."""
        asker, name = await self._desk(request)
        made = await self.parts.page(f"desk/{name}", partial(pages.desk_page, participant=name))
        live = f"/live/desk/{name}"
        return await self.parts.draw(asker, "desk.html", page=made.page, digest=made.digest, live=live)

    async def live_wall(self, request: Request) -> Response:
        """Tell when the wall has changed."""
        self.parts.operator(request)
        return self._stream("wall", pages.wall_page)

    async def live_alerts(self, request: Request) -> Response:
        """Tell when the alerts have changed."""
        self.parts.operator(request)
        return self._stream("alerts", pages.alerts_page)

    async def live_desk(self, request: Request) -> Response:
        """Tell when a desk's page has changed."""
        _, name = await self._desk(request)
        return self._stream(f"desk/{name}", partial(pages.desk_page, participant=name))

    async def healthz(self, _request: Request) -> Response:
        """Say whether the watch still looks; nothing else is told to strangers."""
        glance = self.parts.live.latest
        is_well = glance is not None and self.parts.clock() - glance.view.now <= STALE_AFTER and glance.ledgers.is_up
        return JSONResponse({"ok": is_well}, 200 if is_well else 503)

    async def _recent(self) -> tuple[Listed, ...]:
        try:
            return await listed_recent(self.parts.ledger)
        except LedgerUnavailable:
            return ()

    async def _desk(self, request: Request) -> tuple[Asker, str]:
        asker, name = self.parts.desk(request)
        if not is_desk(await self.parts.board(), name):
            raise HTTPException(404)
        return asker, name

    def _stream(self, name: str, make: Make) -> Response:
        if self.parts.live.is_full:
            raise HTTPException(503, "Too many pages are open. Close one, or reload this one now and then.")
        return EventSourceResponse(self._events(name, make), ping=3600)

    async def _events(self, name: str, make: Make) -> AsyncIterator[ServerSentEvent]:
        try:
            async for news in self.parts.live.listen(name, make):
                yield ServerSentEvent(data=news.digest, event=news.kind)
        except TooManyListeners:
            return
