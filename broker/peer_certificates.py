"""Until when the certificates are good that participants show the broker, read off the broker's own connections.

What counts is the certificate in use: one that was renewed on the disk and not taken up by its process ends as well.
Of several connections the one that ends first counts; a connection without TLS, or a validity that is not understood,
says nothing. Pure.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

PATH: Final = "connections?columns=user,peer_cert_validity"
"""Of the management interface: the account and its certificate's validity, and neither its subject nor its address."""


def certificates_of(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, datetime]:
    """Give the end of each account's certificate (UTC)."""
    found: dict[str, datetime] = {}
    for row in rows:
        end, user = _end_of(row.get("peer_cert_validity")), str(row.get("user", ""))
        if end is not None and user:
            found[user] = min(end, found.get(user, end))
    return found


def _end_of(validity: object) -> datetime | None:
    """Read the end of `2026-11-22T12:00:00Z - 2027-11-22T12:00:00Z`."""
    _, _, end = str(validity).partition(" - ")
    try:
        moment = datetime.fromisoformat(end.strip())
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else None
