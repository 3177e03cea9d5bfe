"""A mailbox over IMAP (RFC 3501): what a mail server took for one address, for a client that seeks by header."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message

from tests.integration.alerts.servers import MailServer


@dataclass
class Mailbox:
    """The mails of `server` that are to `address`. `hangs`: commands get no answer any more."""

    server: MailServer
    address: str
    password: str = "sesame"
    hangs: bool = False
    port: int = 0
    searched: list[str] = field(default_factory=list)

    def mails(self) -> dict[int, Message]:
        """The mails by their number."""
        return {at: mail for at, mail in enumerate(self.server.mails, start=1) if mail["To"] == self.address}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until it leaves."""
        writer.write(b"* OK IMAP4rev1 ready\r\n")
        doomed: set[int] = set()
        while line := (await reader.readline()).decode().strip():
            if self.hangs:
                await asyncio.Event().wait()
            tag, command, *words = shlex.split(line.replace("\\", "\\\\"))
            for answer in self._answers(tag, command.upper(), words, doomed):
                writer.write(answer.encode() + b"\r\n")
            if command.upper() == "LOGOUT":
                break
        writer.close()

    def _answers(self, tag: str, command: str, words: list[str], doomed: set[int]) -> list[str]:
        done = f"{tag} OK done"
        if command == "LOGIN":
            return [done if words[1] == self.password else f"{tag} NO [AUTHENTICATIONFAILED] no"]
        handlers: dict[str, Callable[[], list[str]]] = {
            "CAPABILITY": lambda: ["* CAPABILITY IMAP4rev1", done],
            "SELECT": lambda: [f"* {len(self.mails())} EXISTS", f"{tag} OK [READ-WRITE] done"],
            "UID": lambda: [*self._by_uid(words, doomed), done],
            "EXPUNGE": lambda: [*self._expunge(doomed), done],
            "LOGOUT": lambda: ["* BYE", done],
        }
        return handlers.get(command, lambda: [f"{tag} BAD unknown"])()

    def _by_uid(self, words: list[str], doomed: set[int]) -> list[str]:
        what, *rest = words
        if what.upper() == "STORE":
            doomed.add(int(rest[0]))
            return []
        _, header, text = rest
        self.searched.append(text)
        found = [number for number, mail in self.mails().items() if text in (mail[header] or "\n")]
        return ["* SEARCH " + " ".join(map(str, found))]

    def _expunge(self, doomed: set[int]) -> list[str]:
        for number in sorted(doomed, reverse=True):
            del self.server.mails[number - 1]
        return [f"* {number} EXPUNGE" for number in sorted(doomed, reverse=True)]


@asynccontextmanager
async def mailbox_of(server: MailServer, address: str) -> AsyncIterator[Mailbox]:
    """Open the mailbox on a port of its own."""
    made = Mailbox(server, address)
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(lambda _: writer.transport.abort())

    listening = await asyncio.start_server(begin, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
