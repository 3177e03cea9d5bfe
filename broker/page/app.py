"""The operations page's answers: every route in one table, each with who may ask.

    /                    the wall                                       the operator
    /alerts              what stands, who was told, who has seen it     the operator
    /desk/PARTICIPANT    what one duty desk keeps open                  that desk, the operator
    /live/...            a stream that says when one of these changed   as for the page
    /acknowledge         a form: these alerts have been seen            the operator; a desk for its own
    /a/TOKEN             a notification's link; reading changes nothing whoever has the link
    /sign-in /sign-out   with a token                                   everybody
    /healthz             whether the watch still looks                  everybody

Everything that changes anything is a POST from a page that this browser was given.
"""

from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from broker.ledger.engine import LedgerUnavailable
from broker.page.acting import Acting
from broker.page.assets import STATIC
from broker.page.guard import Guard
from broker.page.parts import Parts
from broker.page.viewing import Viewing

SENTENCES: Final = {
    403: "This page is not open to you.",
    404: "There is nothing here.",
    405: "This page cannot be used like that.",
    413: "That was too much for this page.",
    500: "The page failed. The watch goes on without it.",
    503: "The hub cannot answer now. Try again in a few seconds.",
}


def make_app(parts: Parts, *, names: frozenset[str], proxies: frozenset[str] = frozenset()) -> ASGIApp:
    """Make the application. `names`: what browsers may call it; `proxies`: who alone may ask, if any is named."""
    viewing, acting = Viewing(parts), Acting(parts)
    app = Starlette(
        routes=[
            Route("/", viewing.wall),
            Route("/alerts", viewing.alerts),
            Route("/desk/{participant}", viewing.desk),
            Route("/live/wall", viewing.live_wall),
            Route("/live/alerts", viewing.live_alerts),
            Route("/live/desk/{participant}", viewing.live_desk),
            Route("/acknowledge", acting.seen, methods=["POST"]),
            Route("/a/{token}", acting.link, methods=["GET"]),
            Route("/a/{token}", acting.link_seen, methods=["POST"]),
            Route("/sign-in", acting.sign_in_page, methods=["GET"]),
            Route("/sign-in", acting.sign_in, methods=["POST"]),
            Route("/sign-out", acting.sign_out, methods=["POST"]),
            Route("/healthz", viewing.healthz),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={
            HTTPException: _Failing(parts).refused,
            LedgerUnavailable: _Failing(parts).unavailable,
            Exception: _Failing(parts).failed,
        },
    )
    return Guard(app, names, proxies, is_secure=parts.is_secure)


class _Failing:
    """What is said when something cannot be shown; never why in the words of an exception."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def refused(self, request: Request, fault: Exception) -> Response:
        """Say why not, or lead to the sign-in."""
        assert isinstance(fault, HTTPException), "registered for it"  # noqa: S101 - for the type checker
        if fault.status_code == 303 and request.url.path.startswith("/live/"):
            return Response(status_code=403)  # nobody reads a page in a stream: the page that asked loads itself again
        if fault.status_code == 303:
            return RedirectResponse((fault.headers or {}).get("Location", "/"), 303)
        own = fault.detail if fault.detail != HTTPStatus(fault.status_code).phrase else ""
        return await self._say(request, fault.status_code, own or SENTENCES.get(fault.status_code, SENTENCES[404]))

    async def unavailable(self, request: Request, _fault: Exception) -> Response:
        """Say that the ledger does not answer."""
        return await self._say(request, 503, SENTENCES[503])

    async def failed(self, request: Request, _fault: Exception) -> Response:
        """Say that the page failed."""
        return await self._say(request, 500, SENTENCES[500])

    async def _say(self, request: Request, status: int, sentence: str) -> Response:
        return await self._parts.draw(self._parts.asker(request), "message.html", status=status, sentence=sentence)
