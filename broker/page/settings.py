"""Where the page is served and who may see it: an address, and a TOML file for everything beyond this machine.

    names = ["wall.testfordshire.example"]       # names that browsers call it by, besides the address
    token = "/etc/mash/page.token"               # whoever knows it sees everything
    proxies = ["10.1.2.3"]                       # a proxy that has authenticated whoever it lets through
    [tls]
    certificate = "/etc/mash/page.pem"
    key = "/etc/mash/page.key"
    clients = "/etc/mash/staff-authority.pem"    # only browsers with a certificate of this authority
    [desks]
    testford-police = "/etc/mash/police.token"   # whoever knows it sees that desk and nothing else

On the loopback address nothing is needed. Elsewhere somebody has to be kept out, and no token crosses a network in the
clear: `check` refuses everything else, and says what to do.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import model_validator as validator

from broker.errors import HubError
from schemas.agency import ParticipantId

SHORTEST_TOKEN: Final = 32


class PageUnsafe(HubError):
    """The page would be open to whoever reaches this address, so the watch does not start."""


class PageUnreadable(HubError):
    """The page's settings, or a file that they name, cannot be used."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TlsSettings(_Closed):
    """The page's own certificate, and the authority whose certificates a browser must show."""

    certificate: Path
    key: Path
    clients: Path | None = None


class PageSettings(_Closed):
    """The file, closed: an unknown word is an error."""

    names: tuple[str, ...] = ()
    token: Path | None = None
    proxies: tuple[str, ...] = ()
    tls: TlsSettings | None = None
    desks: Mapping[ParticipantId, Path] = {}

    @validator(mode="after")
    def _proxies_are_addresses(self) -> Self:
        for proxy in self.proxies:
            ip_address(proxy)
        return self


@dataclass(frozen=True)
class Address:
    """Where to listen. Port 0 leaves the choice to the system."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `HOST:PORT`, `[::1]:PORT` or `:PORT`. Raises `PageUnreadable`."""
        host, _, port = text.rpartition(":")
        try:
            return cls(host.strip("[]") or "127.0.0.1", _port(port))
        except ValueError:
            raise PageUnreadable("(--http wants HOST:PORT)") from None

    @property
    def is_loopback(self) -> bool:
        """Say whether only this machine reaches it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read_settings(path: Path | None) -> PageSettings:
    """Read the file, or give the defaults. Raises `PageUnreadable`."""
    if path is None:
        return PageSettings()
    try:
        return PageSettings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as wrong:
        places = ", ".join(".".join(map(str, error["loc"])) for error in wrong.errors(include_input=False))
        raise PageUnreadable(f"({places})") from None
    except (OSError, ValueError) as wrong:
        raise PageUnreadable(f"({type(wrong).__name__})") from None


def read_token(path: Path) -> bytes:
    """Read a token's file: one line that nobody guesses, readable by its owner alone. Raises `PageUnreadable`."""
    try:
        token = path.read_bytes().strip()
        mode = path.stat().st_mode
    except OSError as wrong:
        raise PageUnreadable(f"({type(wrong).__name__})") from None
    if mode & 0o077:
        raise PageUnreadable("(a token's file is readable by others; chmod 600)")
    if len(token) < SHORTEST_TOKEN:
        raise PageUnreadable(f"(a token has fewer than {SHORTEST_TOKEN} characters; openssl rand -hex 32)")
    return token


def check(address: Address, settings: PageSettings) -> None:
    """Refuse an address that strangers reach. Raises `PageUnsafe`."""
    if address.is_loopback or settings.proxies:
        return
    if settings.tls is None:
        raise PageUnsafe(
            f"({address.host} is no loopback address: name tls.certificate and tls.key with tls.clients or a token, "
            "or proxies, in --http-settings; or listen on 127.0.0.1)"
        )
    if settings.tls.clients is None and settings.token is None:
        raise PageUnsafe("(TLS keeps nobody out: name tls.clients or a token in --http-settings)")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 65_536:
        raise ValueError("no such port")
    return port
