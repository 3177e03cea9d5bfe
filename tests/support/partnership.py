"""A partnership with certificates: its authority, and a RabbitMQ that believes it alone."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broker.tls import client_context
from deploy.local.rabbitmq import VHOST, LocalRabbitMQ, TlsFiles, rabbitmq
from deploy.rabbitmq.certificates import CERTIFICATE_LIFE, Authority, make_request


@dataclass(frozen=True)
class Partnership:
    """An authority in a folder of its own, and the broker, if one was started."""

    folder: Path
    authority: Authority
    server: LocalRabbitMQ

    @property
    def url(self) -> str:
        """The broker's address for everyone."""
        return f"amqps://{self.server.host}:{self.server.port}/{VHOST}"

    def context(
        self,
        participant: str,
        *,
        authority: Authority | None = None,
        now: datetime | None = None,
        life: timedelta = CERTIFICATE_LIFE,
    ) -> ssl.SSLContext:
        """Enrol `participant` with `authority` (the partnership's own if none is given) and make its TLS context."""
        issuer, moment = authority or self.authority, now or datetime.now(UTC)
        folder = self.folder / f"{participant}-{len(list(self.folder.iterdir()))}"
        key, request = make_request(participant, folder=folder)
        certificate = folder / "certificate.pem"
        certificate.write_bytes(issuer.approve(request.read_bytes(), participant=participant, now=moment, life=life))
        return client_context(authority=self.authority.certificate_path, certificate=certificate, key=key)


@contextmanager
def partnership(folder: Path) -> Iterator[Partnership]:
    """Found an authority in `folder` and run a RabbitMQ with the production configuration for the block."""
    authority = Authority.create(folder / "authority", now=datetime.now(UTC))
    certificate, key = authority.certify_hub(["127.0.0.1", "localhost"], now=datetime.now(UTC))
    participants = folder / "participants"
    participants.mkdir()
    with rabbitmq(tls=TlsFiles(authority.certificate_path, certificate, key)) as server:
        yield Partnership(participants, authority, server)
