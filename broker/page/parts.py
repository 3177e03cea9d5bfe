"""What every answer is made of, and who may ask for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from broker.alerts import HUB
from broker.alerts.tokens import Tokens
from broker.ledger.ledger import Ledger
from broker.page.access import Access
from broker.page.asking import VISIT, Asker, asker_of, remember
from broker.page.board import Board
from broker.page.drawing import draw
from broker.page.live import Live, Made, NothingSeenYet
from broker.page.pages import Page

SIGN_IN = "/sign-in"


@dataclass(frozen=True)
class Parts:
    """The ledger with the book of alerts, the moment, who may see it. `tokens` None: no links are out."""

    ledger: Ledger
    live: Live
    access: Access
    clock: Callable[[], datetime]
    tokens: Tokens | None = None
    is_secure: bool = False

    def asker(self, request: Request) -> Asker:
        """Say who asks."""
        return asker_of(request, self.access)

    def operator(self, request: Request) -> Asker:
        """Give the operator who asks, or send them to sign in. Raises `HTTPException`."""
        asker = self.asker(request)
        if asker.visitor is None:
            raise HTTPException(303, headers={"Location": SIGN_IN})
        if not asker.visitor.is_operator:
            raise HTTPException(403)
        return asker

    def desk(self, request: Request) -> tuple[Asker, str]:
        """Give who asks for a desk's page, and which one it is. Raises `HTTPException`."""
        asker, name = self.asker(request), str(request.path_params["participant"])
        if asker.visitor is None:
            raise HTTPException(303, headers={"Location": SIGN_IN})
        if not asker.visitor.may_see_desk(name):
            raise HTTPException(403)
        return asker, name

    async def board(self) -> Board:
        """Give the present moment. Raises `HTTPException` 503 before the watch has looked once."""
        try:
            return await self.live.board()
        except NothingSeenYet:
            raise HTTPException(503, "The watch is starting. Try again in a few seconds.") from None

    async def page(self, name: str, make: Callable[[Board], Page]) -> Made:
        """Give a page's model at the present moment. Raises `HTTPException` 503 before the watch has looked once."""
        await self.board()
        return await self.live.page(name, make)

    async def draw(self, asker: Asker, template: str, *, status: int = 200, **values: Any) -> Response:
        """Draw a page for whoever asks, and remember their visit."""
        open_session = not self.access.is_open and asker.visitor is not None
        values |= {"asker": asker, "can_sign_out": open_session}
        response = await asyncio.to_thread(draw, template, status=status, **values)
        if asker.is_new:
            remember(response, VISIT, asker.visit, is_secure=self.is_secure)
        return response


def is_desk(board: Board, name: str) -> bool:
    """Say whether there is such a desk."""
    return name == HUB or board.view.directory.participant(name) is not None
