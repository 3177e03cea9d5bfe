"""Looking: the wall, the alerts, a desk, and the streams that keep them live. Nothing here changes anything."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from broker.alerts.listing import Listed, listed_recent
from broker.ledger_engine import LedgerUnavailable
from broker.page import pages
from broker.page.board import STALE_AFTER, Board
from broker.page.live import TooManyListeners
from broker.page.parts import Parts, is_desk
from broker.page.stories import URGENCIES
from broker.page.wall import MARKS

Look = Callable[[Board], str]


@dataclass(frozen=True)
class Viewing:
    """The answers to GET."""

    parts: Parts

    async def wall(self, request: Request) -> Response:
        """Show who owes what by when."""
        asker = self.parts.operator(request)
        page = pages.wall_page(await self.parts.board())
        return self.parts.draw(asker, "wall.html", page=page, digest=pages.digest(page), live="/live/wall", marks=MARKS)

    async def alerts(self, request: Request) -> Response:
        """Show the alerts with their stories."""
        asker, board = self.parts.operator(request), await self.parts.board()
        plain = pages.digest(pages.alerts_page(board))
        page = pages.alerts_page(board, await self._recent())
        return self.parts.draw(asker, "alerts.html", page=page, digest=plain, live="/live/alerts", marks=URGENCIES)

    async def desk(self, request: Request) -> Response:
        """Show one duty desk what is its own."""
        asker, name = self.parts.desk(request)
        board = await self.parts.board()
        if not is_desk(board, name):
            raise HTTPException(404)
        page = pages.desk_page(board, name)
        return self.parts.draw(asker, "desk.html", page=page, digest=pages.digest(page), live=f"/live/desk/{name}")

    async def live_wall(self, request: Request) -> Response:
        """Tell when the wall has changed."""
        self.parts.operator(request)
        return self._stream(lambda board: pages.digest(pages.wall_page(board)))

    async def live_alerts(self, request: Request) -> Response:
        """Tell when the alerts have changed."""
        self.parts.operator(request)
        return self._stream(lambda board: pages.digest(pages.alerts_page(board)))

    async def live_desk(self, request: Request) -> Response:
        """Tell when a desk's page has changed."""
        _, name = self.parts.desk(request)
        return self._stream(lambda board: pages.digest(pages.desk_page(board, name)))

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

    def _stream(self, look: Look) -> Response:
        if self.parts.live.is_full:
            raise HTTPException(503, "Too many pages are open. Close one, or reload this one now and then.")
        return EventSourceResponse(self._events(look), ping=3600)

    async def _events(self, look: Look) -> AsyncIterator[ServerSentEvent]:
        try:
            async for news in self.parts.live.listen(look):
                yield ServerSentEvent(data=news.digest, event=news.kind)
        except TooManyListeners:
            return
