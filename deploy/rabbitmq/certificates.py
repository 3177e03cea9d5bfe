"""The partnership's own certificate authority: it names participants to the broker, and nothing else.

A participant makes its key itself and sends a request; the authority approves it. The name in the certificate becomes
the user at the broker, so a request is approved only for a participant id that the operator names, with a key that
the requester has proved to hold. Nothing here protects content: that is sealed end to end with other keys.

    python -m deploy.rabbitmq.certificates authority FOLDER
    python -m deploy.rabbitmq.certificates hub FOLDER HOST...
    python -m deploy.rabbitmq.certificates request PARTICIPANT FOLDER
    python -m deploy.rabbitmq.certificates approve FOLDER PARTICIPANT REQUEST.csr CERTIFICATE.pem
"""

import ipaddress
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.topology import MONITOR
from schemas.agency import is_participant_id

AUTHORITY_LIFE: Final = timedelta(days=5 * 365)
CERTIFICATE_LIFE: Final = timedelta(days=365)
_BACKDATED: Final = timedelta(minutes=5)
"""For clocks that differ."""


class RequestRefused(ValueError):
    """The certificate request cannot be approved; the message says why."""


@dataclass(frozen=True)
class Authority:
    """A folder with `authority.pem` (public) and `authority.key` (its owner's alone, kept off the broker)."""

    folder: Path

    @property
    def certificate_path(self) -> Path:
        """Where everyone's trust anchor is."""
        return self.folder / "authority.pem"

    @classmethod
    def create(cls, folder: Path, *, now: datetime) -> "Authority":
        """Make a new authority in `folder`. Raises `FileExistsError` rather than replace one."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("MASH hub authority")
        certificate = (
            _builder(subject=name, issuer=name, life=(now - _BACKDATED, now + AUTHORITY_LIFE))
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write_secret(folder / "authority.key", _pem(key))
        (folder / "authority.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(folder)

    def certify_hub(self, hosts: Sequence[str], *, now: datetime) -> tuple[Path, Path]:
        """Make the broker's key and certificate for `hosts` (names or addresses); returns their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(
            (hosts[0], key.public_key()),
            purpose=ExtendedKeyUsageOID.SERVER_AUTH,
            alternatives=[_alternative(host) for host in hosts],
            life=(now - _BACKDATED, now + CERTIFICATE_LIFE),
        )
        _write_secret(self.folder / "hub.key", _pem(key))
        (self.folder / "hub.pem").write_bytes(certificate)
        return self.folder / "hub.pem", self.folder / "hub.key"

    def approve(self, request: bytes, *, participant: str, now: datetime, life: timedelta = CERTIFICATE_LIFE) -> bytes:
        """Certify the key of a PEM `request` as `participant`'s. Raises `RequestRefused`.

        Whatever else the request asks for is ignored: the certificate says what we say.
        """
        if not (is_participant_id(participant) or participant == MONITOR):
            raise RequestRefused(f"{participant!r} is no participant id")
        try:
            asked = x509.load_pem_x509_csr(request)
        except ValueError:
            raise RequestRefused("this is no certificate request") from None
        public = asked.public_key()
        if not asked.is_signature_valid:
            raise RequestRefused("the requester has not proved to hold the key")
        if asked.subject != _name(participant):
            raise RequestRefused("the request names somebody else")
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
            raise RequestRefused("the key is not on P-256")
        return self._sign(
            (participant, public),
            purpose=ExtendedKeyUsageOID.CLIENT_AUTH,
            alternatives=[],
            life=(now - _BACKDATED, now + life),
        )

    def _sign(
        self,
        whom: tuple[str, ec.EllipticCurvePublicKey],
        *,
        purpose: x509.ObjectIdentifier,
        alternatives: Sequence[x509.GeneralName],
        life: tuple[datetime, datetime],
    ) -> bytes:
        issuer = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
        key = load_pem_private_key((self.folder / "authority.key").read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we wrote it
        builder = (
            _builder(subject=_name(whom[0]), issuer=issuer.subject, life=life)
            .public_key(whom[1])
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def make_request(participant: str, *, folder: Path) -> tuple[Path, Path]:
    """Make `participant`'s key and its request in `folder`; returns the paths of key and request."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(participant)).sign(key, hashes.SHA256())
    key_path, request_path = folder / f"{participant}.key", folder / f"{participant}.csr"
    _write_secret(key_path, _pem(key))
    request_path.write_bytes(request.public_bytes(Encoding.PEM))
    return key_path, request_path


def _builder(*, subject: x509.Name, issuer: x509.Name, life: tuple[datetime, datetime]) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(life[0])
        .not_valid_after(life[1])
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_secret(path: Path, content: bytes) -> None:
    """Create a file that its owner alone can read; never replace one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def main(arguments: Sequence[str]) -> int:
    """Run the command line of the module's docstring: 0 done, 1 refused, 2 wrong usage."""
    now = datetime.now(UTC)
    try:
        match arguments:
            case ["authority", folder]:
                Authority.create(Path(folder), now=now)
            case ["hub", folder, *hosts] if hosts:
                Authority(Path(folder)).certify_hub(hosts, now=now)
            case ["request", participant, folder]:
                make_request(participant, folder=Path(folder))
            case ["approve", folder, participant, request, certificate]:
                asked = Path(request).read_bytes()
                Path(certificate).write_bytes(Authority(Path(folder)).approve(asked, participant=participant, now=now))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (RequestRefused, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
