"""One question of a browser: whose it is, and what a form of it says, within bounds.

A cookie is HttpOnly and SameSite=Strict; `mash_visit` binds forms to a browser, `mash_session` names who signed in.
"""

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from broker.page.access import Access, Visitor

VISIT: Final = "mash_visit"
SESSION: Final = "mash_session"
LONGEST_FORM: Final = 8192
MOST_FIELDS: Final = 64


@dataclass(frozen=True)
class Asker:
    """Who asks, as far as cookies tell. `visit` is new when the browser had none.

    `wants_still`: without scripts, the page is not to load itself again while somebody reads it (WCAG 2.2.1).
    """

    visit: str
    is_new: bool
    session: str
    visitor: Visitor | None
    form_token: str
    wants_still: bool = False


def asker_of(request: Request, access: Access) -> Asker:
    """Read who asks."""
    visit, session = request.cookies.get(VISIT, ""), request.cookies.get(SESSION, "")
    known = visit or token_urlsafe(16)
    still = "still" in request.query_params
    return Asker(known, not visit, session, access.visitor(session), access.form_token(known), wants_still=still)


def remember(response: Response, name: str, value: str, *, is_secure: bool) -> None:
    """Set a cookie."""
    response.set_cookie(name, value, httponly=True, samesite="strict", secure=is_secure, path="/")


@dataclass(frozen=True)
class Form:
    """What was sent. A field that was not sent is empty."""

    fields: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str:
        """Give a field."""
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Give a field that may come several times."""
        return tuple(value for field, value in self.fields if field == name)


async def read_form(request: Request) -> Form | None:
    """Read a form, or give None for one that is too large or is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            return None
    try:
        return Form(tuple(parse_qsl(body.decode("ascii"), max_num_fields=MOST_FIELDS, keep_blank_values=True)))
    except ValueError:
        return None
