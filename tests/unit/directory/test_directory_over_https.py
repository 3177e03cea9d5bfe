"""The directory over real TLS: who is asked, and who is believed to answer."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from broker.directory.client import DirectoryClient
from broker.directory.fetch import fetcher_for
from broker.directory.rules import Alarm
from tests.support.parties import NOW
from tests.support.registry import Registry


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Redirecting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name that http.server calls
        self.send_response(302)
        self.send_header("Location", "https://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "directory")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


@contextmanager
def served(handler: type[BaseHTTPRequestHandler] | partial[Quiet], certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def client_of(registry: Registry, certificate: Path) -> DirectoryClient:
    pinned = registry.client("remote")
    assert pinned.freshness(NOW).value == "stale"
    return DirectoryClient(registry.folder.parent / "remote", context=ssl.create_default_context(cafile=certificate))


def test_a_reader_refreshes_over_tls_with_the_partnerships_own_authority(registry: Registry, certificate: Path) -> None:
    """The same directory comes over https as from the folder."""
    client = client_of(registry, certificate)
    with served(partial(Quiet, directory=str(registry.folder)), certificate) as source:
        refreshed = client.refresh(source, now=NOW)
    assert refreshed.alarms == ()
    assert refreshed.directory == registry.client("local").refresh(registry.source, now=NOW).directory


def test_a_reader_does_not_talk_to_a_server_that_its_authority_does_not_know(
    registry: Registry, certificate: Path
) -> None:
    """Signatures would protect the content; the request alone would tell who is interested in whom."""
    client = registry.client("stranger")
    with served(partial(Quiet, directory=str(registry.folder)), certificate) as source:
        refreshed = client.refresh(source, now=NOW)
    assert [raised.alarm for raised in refreshed.alarms] == [Alarm.UNREACHABLE]
    assert refreshed.directory is None


def test_a_reader_follows_no_redirect(registry: Registry, certificate: Path) -> None:
    """A redirect would send the question elsewhere."""
    client = client_of(registry, certificate)
    with served(Redirecting, certificate) as source:
        refreshed = client.refresh(source, now=NOW)
    assert [raised.alarm for raised in refreshed.alarms] == [Alarm.UNREACHABLE]


@pytest.mark.parametrize("source", ["http://directory.example", "ftp://directory.example", "data:,x"])
def test_a_directory_is_not_fetched_in_the_clear(source: str) -> None:
    """Only https or a folder."""
    with pytest.raises(ValueError, match="over https or from a folder"):
        fetcher_for(source)
