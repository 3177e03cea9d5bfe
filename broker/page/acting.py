"""Doing: a person says that alerts are seen, signs in, signs out; always a POST with the token of this browser's visit.

What is kept of an acknowledgement is a post (`control-room`, `duty-desk`) and a desk, never a person. Whoever follows a
notification's link acts as the post that the link was sent to.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broker.alerts import HUB
from broker.alerts.acknowledging import (
    Acknowledgement,
    Found,
    NotAcknowledged,
    acknowledge,
    acknowledge_by_token,
    find_by_token,
)
from broker.alerts.listing import Listed
from broker.alerts.tokens import Tokens
from broker.page.access import Visitor
from broker.page.asking import SESSION, Asker, Form, read_form, remember
from broker.page.board import Raised
from broker.page.parts import SIGN_IN, Parts
from broker.page.stories import concerns, story_of

MOST_AT_ONCE: Final = 32
AFTER_A_WRONG_TOKEN: Final = 1.0
_BACK: Final = {"wall": "/", "alerts": "/alerts"}


@dataclass(frozen=True)
class Acting:
    """The answers to POST, and to a notification's link."""

    parts: Parts

    async def seen(self, request: Request) -> Response:
        """Note that alerts are seen, and go back to the page that said so."""
        asker, form = self.parts.asker(request), await self._form(request)
        if asker.visitor is None:
            raise HTTPException(303, headers={"Location": SIGN_IN})
        numbers = [int(text) for text in form.all("alert")[:MOST_AT_ONCE] if text.isascii() and text.isdigit()]
        for number in await self._permitted(asker.visitor, numbers):
            desk = asker.visitor.desk or HUB
            await acknowledge(self.parts.ledger, number, by=asker.visitor.post, now=self.parts.clock(), desk=desk)
        self.parts.live.wake()
        return RedirectResponse(_back(asker.visitor, form), 303)

    async def link(self, request: Request) -> Response:
        """Show what a notification's link leads to; scanners of mail follow links too, so this changes nothing."""
        asker, token = self.parts.asker(request), str(request.path_params["token"])
        return await self._show(asker, await self._found(token))

    async def link_seen(self, request: Request) -> Response:
        """Acknowledge what a link leads to."""
        await self._form(request)
        token, tokens = str(request.path_params["token"]), self._tokens()
        outcome = await acknowledge_by_token(self.parts.ledger, token, tokens=tokens, now=self.parts.clock())
        _refuse(outcome)
        self.parts.live.wake()
        return RedirectResponse(f"/a/{token}", 303)

    async def sign_in_page(self, request: Request) -> Response:
        """Ask for a token."""
        return await self.parts.draw(self.parts.asker(request), "sign_in.html", is_wrong=False)

    async def sign_in(self, request: Request) -> Response:
        """Open a session for whoever shows a token."""
        form, asker = await self._form(request), self.parts.asker(request)
        session = self.parts.access.sign_in(form.one("token").strip().encode())
        if session is None:
            await asyncio.sleep(AFTER_A_WRONG_TOKEN)
            return await self.parts.draw(asker, "sign_in.html", status=403, is_wrong=True)
        visitor = self.parts.access.visitor(session) or Visitor()
        response = RedirectResponse(_home(visitor), 303)
        remember(response, SESSION, session, is_secure=self.parts.is_secure)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        await self._form(request)
        self.parts.access.sign_out(self.parts.asker(request).session)
        return RedirectResponse(SIGN_IN, 303)

    async def _form(self, request: Request) -> Form:
        """Read a form that this browser was given. Raises `HTTPException`."""
        form = await read_form(request)
        if form is None:
            raise HTTPException(413)
        asker = self.parts.asker(request)
        if asker.is_new or not self.parts.access.is_form_token(asker.visit, form.one("form")):
            raise HTTPException(403, "This page was open for too long, or in another window. Go back and try again.")
        return form

    async def _permitted(self, visitor: Visitor, numbers: list[int]) -> list[int]:
        """Keep a desk to its own alerts."""
        if visitor.is_operator:
            return numbers
        board = await self.parts.board()
        own = {one.row.entry.number for one in board.raised if one.row and concerns(one, visitor.desk)}
        return [number for number in numbers if number in own]

    async def _found(self, token: str) -> Found:
        found = await find_by_token(self.parts.ledger, token, tokens=self._tokens(), now=self.parts.clock())
        _refuse(found)
        assert isinstance(found, Found), "what was refused has been raised"  # noqa: S101 - for the type checker
        return found

    def _tokens(self) -> Tokens:
        if self.parts.tokens is None:
            raise HTTPException(404)
        return self.parts.tokens

    async def _show(self, asker: Asker, found: Found) -> Response:
        board = await self.parts.board()
        raised = Raised(found.entry.alert, Listed(found.entry, found.acknowledgement))
        return await self.parts.draw(
            asker, "link.html", story=story_of(board, raised, desk=found.claim.desk), desk=board.name(found.claim.desk)
        )


def _refuse(outcome: Acknowledgement | Found | NotAcknowledged) -> None:
    """Say that a link has expired, and of every other fault the same: that there is nothing under it."""
    if outcome is NotAcknowledged.EXPIRED:
        raise HTTPException(410, "This link has expired. Ring the control room, or open your desk's page.")
    if isinstance(outcome, NotAcknowledged):
        raise HTTPException(404, "There is nothing under this link.")


def _home(visitor: Visitor) -> str:
    return "/" if visitor.is_operator else f"/desk/{visitor.desk}"


def _back(visitor: Visitor, form: Form) -> str:
    if not visitor.is_operator:
        return _home(visitor)
    desk = form.one("desk")
    return _BACK.get(form.one("page"), f"/desk/{desk}" if _is_plain(desk) else "/alerts")


def _is_plain(desk: str) -> bool:
    return bool(desk) and all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in desk)
