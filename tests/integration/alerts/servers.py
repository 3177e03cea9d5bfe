"""Real servers on this machine: mail that can be refused, hang or be dropped, GOV.UK Notify, a webhook's receiver."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from enum import Enum, auto
from typing import Any
from uuid import uuid4

import uvicorn
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from notifications_python_client.authentication import decode_jwt_token, get_token_issuer
from notifications_python_client.errors import TokenError, TokenExpiredError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.alerts.webhook import DELIVERY, verify


class Mood(Enum):
    """What a mail server does with what it is given."""

    TAKES = auto()
    DROPS = auto()
    REFUSES = auto()
    IS_BUSY = auto()
    HANGS = auto()
    HANGS_AT_GOODBYE = auto()


@dataclass
class MailServer:
    """A mail server of aiosmtpd. What it took is in `mails`, what it was asked for in `recipients`."""

    port: int = 0
    mood: Mood = Mood.TAKES
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, server: SMTP, session: Any, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings.append(hostname)
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.recipients.append(address)
        answer = {Mood.REFUSES: "550 5.1.1 <tilly@example.org> unknown", Mood.IS_BUSY: "451 4.7.1 come again later"}
        if self.mood in answer:
            return answer[self.mood]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        if self.mood is Mood.HANGS:
            await asyncio.Event().wait()
        self.secured.append(session.ssl is not None)
        if self.mood is not Mood.DROPS and isinstance(envelope.content, bytes):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        if self.mood is Mood.HANGS_AT_GOODBYE:
            await asyncio.Event().wait()
        return "221 Bye"

    def texts(self) -> list[str]:
        """The plain text of every mail."""
        return [mail.get_content().replace("\r\n", "\n") for mail in self.mails if isinstance(mail, EmailMessage)]


def _knows(server: SMTP, session: Any, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password == b"sesame"
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, wants_password: bool = False
) -> AsyncIterator[MailServer]:
    """Run a mail server on a port of its own."""
    loop, running = asyncio.get_running_loop(), MailServer()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        made = SMTP(
            running,
            loop=loop,
            hostname="mail.example.org",
            tls_context=starttls,
            authenticator=_knows if wants_password else None,
            auth_required=wants_password,
            auth_require_tls=starttls is not None,
        )
        sessions.append(made)
        return made

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for one in sessions:
            await _end(one)
        await server.wait_closed()


async def _end(session: SMTP) -> None:
    task = session._handler_coroutine
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
    if isinstance(session.transport, asyncio.WriteTransport):
        session.transport.abort()


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Listen, accept and never say a word; gives the port."""
    held: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await asyncio.Event().wait()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()
        await asyncio.sleep(0)


def nobodys_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def http_server(app: Starlette, *, certificate: tuple[str, str] | None = None) -> AsyncIterator[str]:
    """Serve an application over HTTP, or HTTPS; gives its address."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    options: dict[str, Any] = {"ssl_certfile": certificate[0], "ssl_keyfile": certificate[1]} if certificate else {}
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1, **options)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield f"{'https' if certificate else 'http'}://localhost:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait([task])
        listening.close()


_issuer: Any = get_token_issuer  # Notify's own way of checking, which ships no types
_check_token: Any = decode_jwt_token
NOTIFY_SERVICE, NOTIFY_SECRET = str(uuid4()), str(uuid4())
NOTIFY_KEY = f"mash-{NOTIFY_SERVICE}-{NOTIFY_SECRET}"
EMAIL_TEMPLATE, TEXT_TEMPLATE = str(uuid4()), str(uuid4())


@dataclass
class Notify:
    """GOV.UK Notify as its documentation describes it: tokens, templates, notifications and their status."""

    revoked: bool = False
    trouble: int = 0
    status: str = "delivered"
    sent: list[dict[str, Any]] = field(default_factory=list)
    stalls: bool = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v2/notifications/email", self._send, methods=["POST"]),
                Route("/v2/notifications/sms", self._send, methods=["POST"]),
                Route("/v2/notifications/{id}", self._fate),
                Route("/v2/template/{id}", self._template),
            ]
        )

    def _refusal(self, request: Request) -> Response | None:
        if self.trouble:
            return _error(self.trouble, "Exception", "Internal server error")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if _issuer(token) != NOTIFY_SERVICE:
                return _error(403, "AuthError", "Invalid token: service not found")
            _check_token(token, NOTIFY_SECRET)
        except TokenExpiredError:
            return _error(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
        except TokenError:
            return _error(403, "AuthError", "Invalid token: signature, api token not found")
        return _error(403, "AuthError", "Invalid token: API key has been revoked") if self.revoked else None

    async def _send(self, request: Request) -> Response:
        if self.stalls:
            await asyncio.sleep(60)
        if refused := self._refusal(request):
            return refused
        said = await request.json()
        wanted = {"reference", "urgency", "link", "telephone"}
        if said["template_id"] not in (EMAIL_TEMPLATE, TEXT_TEMPLATE) or set(said["personalisation"]) != wanted:
            return _error(400, "BadRequestError", "Missing personalisation")
        made = {**said, "id": str(uuid4()), "path": request.url.path}
        self.sent.append(made)
        return JSONResponse({"id": made["id"], "reference": said.get("reference")}, status_code=201)

    async def _fate(self, request: Request) -> Response:
        if refused := self._refusal(request):
            return refused
        known = [one for one in self.sent if one["id"] == request.path_params["id"]]
        return JSONResponse({"id": known[0]["id"], "status": self.status}) if known else _error(404, "NoResult", "none")

    async def _template(self, request: Request) -> Response:
        if refused := self._refusal(request):
            return refused
        known = request.path_params["id"] in (EMAIL_TEMPLATE, TEXT_TEMPLATE)
        return JSONResponse({"id": request.path_params["id"]}) if known else _error(404, "NoResultFound", "No result")


def _error(code: int, kind: str, text: str) -> Response:
    return JSONResponse({"status_code": code, "errors": [{"error": kind, "message": text}]}, status_code=code)


@dataclass
class Receiver:
    """A webhook's receiver: verifies, refuses replays, remembers deliveries."""

    key: bytes = b"0123456789abcdef0123456789abcdef"
    answer: int = 204
    stalls: bool = False
    now: datetime | None = None
    taken: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    requests: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/mash", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        if self.stalls:
            await asyncio.sleep(60)
        body, headers = await request.body(), {name.title(): value for name, value in request.headers.items()}
        self.requests.append((body, headers))
        why = verify(body, headers, keys=[self.key], now=self.now or datetime.now(UTC))
        if why is not None:
            self.refused.append(why.value)
            return Response(status_code=401)
        if self.answer == 204 and headers[DELIVERY] not in self.seen:
            self.seen.add(headers[DELIVERY])
            self.taken.append(json.loads(body))
        moved = {"Location": "https://elsewhere.example.org/"} if 300 <= self.answer < 400 else {}
        return Response(status_code=self.answer, headers=moved)

    def alerts(self) -> list[dict[str, str]]:
        """What was told, without the probes."""
        return [one for one in self.taken if one["event"] == "alert"]
