"""The one TLS context that a participant uses towards the hub: TLS 1.3, the hub verified, our certificate shown.

Made here and passed in explicitly, because the AMQP library's own options turn verification off in their example.
"""

import ssl
from pathlib import Path


def client_context(*, authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Trust `authority` and nobody else, and show `certificate` (PEM files). Raises `OSError` and `ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(authority)
    context.load_cert_chain(certificate, key)
    return context
