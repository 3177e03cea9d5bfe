"""The page beyond this machine: TLS, and browsers that show a certificate."""

import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from broker.page.settings import PageSettings, PageUnreadable, TlsSettings
from deploy.rabbitmq.certificates import Authority, make_request
from tests.integration.page.stage import Stage, form_token, staged
from tests.unit.page.scene import night_glance


@dataclass(frozen=True)
class Papers:
    """An authority, the page's certificate, and one member of staff's."""

    authority: Path
    page: tuple[Path, Path]
    staff: tuple[Path, Path]

    def context(self, *, shows: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        if shows:
            context.load_cert_chain(*shows)
        return context


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    now = datetime.now(UTC)
    authority = Authority.create(tmp_path / "authority", now=now)
    key, request = make_request("control-room", folder=tmp_path)
    certificate = tmp_path / "staff.pem"
    certificate.write_bytes(authority.approve(request.read_bytes(), participant="control-room", now=now))
    return Papers(authority.certificate_path, authority.certify_hub(["127.0.0.1"], now=now), (certificate, key))


@pytest.fixture
async def closed(tmp_path: Path, papers: Papers) -> AsyncIterator[Stage]:
    certificate, key = papers.page
    tls = TlsSettings(certificate=certificate, key=key, clients=papers.authority)
    async with staged(tmp_path, glances=[night_glance()], settings=PageSettings(tls=tls)) as stage:
        yield stage


async def test_a_browser_with_a_certificate_of_the_authority_is_let_in(closed: Stage, papers: Papers) -> None:
    """And told to come by TLS alone from now on."""
    async with closed.client(verify=papers.context(shows=papers.staff)) as client:
        answer = await client.get("/")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_browser_without_a_certificate_gets_no_byte_of_the_page(closed: Stage, papers: Papers) -> None:
    """The attack: whoever reaches the port."""
    async with closed.client(verify=papers.context()) as client:
        with pytest.raises(httpx2.TransportError):
            await client.get("/")


async def test_a_browser_with_another_authoritys_certificate_gets_none_either(
    closed: Stage, papers: Papers, tmp_path: Path
) -> None:
    """The attack: a certificate that looks right."""
    now = datetime.now(UTC)
    other = Authority.create(tmp_path / "other", now=now)
    (tmp_path / "mine").mkdir()
    key, request = make_request("control-room", folder=tmp_path / "mine")
    forged = tmp_path / "forged.pem"
    forged.write_bytes(other.approve(request.read_bytes(), participant="control-room", now=now))
    async with closed.client(verify=papers.context(shows=(forged, key))) as client:
        with pytest.raises(httpx2.TransportError):
            await client.get("/")


async def test_a_token_travels_by_tls_and_its_cookies_by_nothing_else(tmp_path: Path, papers: Papers) -> None:
    """Secure cookies, both of them."""
    path, token = tmp_path / "token", secrets.token_hex(32)
    path.write_text(token)
    path.chmod(0o600)
    certificate, key = papers.page
    settings = PageSettings(token=path, tls=TlsSettings(certificate=certificate, key=key))
    async with (
        staged(tmp_path, glances=[night_glance()], settings=settings) as stage,
        stage.client(verify=papers.context()) as client,
    ):
        page = await client.get("/sign-in")
        answer = await client.post("/sign-in", data={"form": form_token(page.text), "token": token})
        assert (await client.get("/")).status_code == 200
    assert "Secure" in page.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_certificate_that_cannot_be_read_is_said_before_the_watch_starts(
    tmp_path: Path, papers: Papers, content: str | None
) -> None:
    """The attack is our own: a page that is not served and that nobody misses until the night."""
    certificate = tmp_path / "page.pem"
    if content:
        certificate.write_text(content)
    tls = TlsSettings(certificate=certificate, key=papers.page[1], clients=papers.authority)
    with pytest.raises(PageUnreadable, match="tls"):
        async with staged(tmp_path, settings=PageSettings(tls=tls)):
            pytest.fail("served without a certificate")
