"""What every answer carries and every question must have, before any page is asked: a thin layer around the app.

It guarantees: a browser that is led here under another name (DNS rebinding) is refused; behind a proxy nobody else is
heard; a form that another site sends is refused, and so is whatever it would take in; nothing is framed, cached,
sniffed or told where it came from; no script runs but our own files.
It is written against ASGI itself: a layer that buffers would hold live pages up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
}
_SAFE: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class Guard:
    """The layer. `names`: hosts that browsers may call us by, without port; `proxies`: peers, or everybody."""

    app: ASGIApp
    names: frozenset[str]
    proxies: frozenset[str] = frozenset()
    is_secure: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if self.is_secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        reason = self._refusal(scope)
        app = PlainTextResponse(reason, 403) if reason else self.app
        await app(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        peer = (scope.get("client") or ("", 0))[0]
        if self.proxies and peer not in self.proxies:
            return "Only the proxy is served here."
        if host_of(headers.get("host", "")) not in self.names:
            return "This page is not known by that name."
        if scope["method"] not in _SAFE and not self._is_from_here(headers):
            return "This form came from another site."
        if headers.get("sec-fetch-site", "none") not in _OURS and headers.get("sec-fetch-mode") != "navigate":
            return "Another site may lead here and take nothing in."
        return ""

    def _is_from_here(self, headers: Headers) -> bool:
        """Judge by what browsers say of a request's origin: our no-referrer policy makes `Origin` null."""
        site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "null")
        return (not site or site in _OURS) and (origin == "null" or host_of(origin.partition("//")[2]) in self.names)


def host_of(text: str) -> str:
    """Take the port off a host header."""
    if text.startswith("["):
        return text.partition("]")[0][1:].lower()
    return text.partition(":")[0].lower()


def names_of(host: str, further: Iterable[str]) -> frozenset[str]:
    """Give the names that the page answers to: its address, this machine's own, and those it was given."""
    own = {"localhost", "127.0.0.1", "::1"} if host in ("127.0.0.1", "::1", "localhost") else {host.lower()}
    return frozenset(own | {name.lower() for name in further})
