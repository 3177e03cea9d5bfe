"""Notices by signed webhook: an HTTPS POST of the four fields, under an HMAC over time and body.

    POST <url>
    Content-Type: application/json
    Mash-Delivery: 4711                      the same number each time one telling is tried again
    Mash-Timestamp: 1795341600               seconds since 1970
    Mash-Signature: v1=<hex>                 HMAC-SHA256(secret, timestamp + "." + delivery + "." + body), RFC 2104
    {"event":"alert","link":"https://...","reference":"ABCDE-FGHIJ","telephone":"01632 960000","urgency":"now"}

It guarantees: nothing unsigned is sent, no redirect is followed, no answer is read beyond its status, and every wait is
bounded. A receiver refuses what is older or younger than 300 seconds (`REPLAY_WINDOW`) and remembers delivery numbers
for as long; `verify` is what it has to do, and our tests' receivers do it with this function.
A probe is the same with `{"event":"probe"}`: answer 2xx and tell nobody.
"""

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest, digest
from typing import Final

import httpx2

from broker.alerts.desks import Route
from broker.alerts.notice import Notice
from broker.alerts.routing import Accepted, Fate, NotTold, WayFault
from broker.alerts.settings import WebhookSettings

REPLAY_WINDOW: Final = timedelta(seconds=300)
DELIVERY, TIMESTAMP, SIGNATURE = "Mash-Delivery", "Mash-Timestamp", "Mash-Signature"
_VERSION: Final = "v1="
_CODES: Final[Mapping[int, WayFault]] = {
    401: WayFault.KEY,
    403: WayFault.KEY,
    408: WayFault.BUSY,
    425: WayFault.BUSY,
    429: WayFault.BUSY,
}


class NotOurs(StrEnum):
    """Why a receiver refuses a delivery."""

    INCOMPLETE = "incomplete"
    STALE = "stale"
    FORGED = "forged"


def secret_of(webhook: str) -> str:
    """Give the name of a webhook's secret."""
    return f"webhook.{webhook}"


def sign(body: bytes, *, key: bytes, delivery: str, timestamp: str) -> str:
    """Give the signature's header."""
    said = b".".join((timestamp.encode("ascii"), delivery.encode("ascii"), body))
    return _VERSION + digest(key, said, "sha256").hex()


def verify(body: bytes, headers: Mapping[str, str], *, keys: Sequence[bytes], now: datetime) -> NotOurs | None:
    """Do a receiver's part: None means that the hub sent this, just now. The caller remembers the delivery number."""
    delivery, timestamp, signature = (headers.get(name, "") for name in (DELIVERY, TIMESTAMP, SIGNATURE))
    if not (delivery.isascii() and timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return NotOurs.INCOMPLETE
    if not delivery or not signature:
        return NotOurs.INCOMPLETE
    expected = [sign(body, key=key, delivery=delivery, timestamp=timestamp) for key in keys]
    if not any([compare_digest(one.encode(), signature.encode()) for one in expected]):  # noqa: C419 - all, in equal time
        return NotOurs.FORGED
    sent = datetime.fromtimestamp(int(timestamp), UTC)
    return NotOurs.STALE if abs(now - sent) > REPLAY_WINDOW else None


class WebhookCarrier:
    """Carries notices to webhooks. `keys` are each webhook's signing keys, of which the first signs."""

    def __init__(
        self,
        settings: Mapping[str, WebhookSettings],
        *,
        keys: Mapping[str, Sequence[bytes]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limit = max((one.timeout for one in settings.values()), default=1.0)
        self._settings, self._keys, self._clock = settings, keys, clock
        self._trust = {name: ssl.create_default_context(cafile=one.authority) for name, one in settings.items()}

    async def tell(self, route: Route, notice: Notice, *, telling: int) -> Accepted:
        """Post the notice."""
        await self._post(route.address, {"event": "alert", **notice.plain()}, delivery=str(telling))
        return Accepted()

    async def probe(self, route: Route) -> None:
        """Post a probe."""
        moment = self._clock()
        await self._post(route.address, {"event": "probe"}, delivery=f"probe-{int(moment.timestamp())}")

    async def fate(self, receipt: str) -> Fate:
        """Say what is known: the receiver has it."""
        return Fate.DELIVERED

    async def _post(self, name: str, said: Mapping[str, str], *, delivery: str) -> None:
        settings, keys = self._settings.get(name), self._keys.get(name)
        if settings is None or not keys:
            raise NotTold(WayFault.NO_SUCH_WAY)
        body = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "mash-hub",
            DELIVERY: delivery,
            TIMESTAMP: timestamp,
            SIGNATURE: sign(body, key=keys[0], delivery=delivery, timestamp=timestamp),
        }
        try:
            _check(await self._status(name, body, headers))
        except httpx2.TimeoutException:
            raise NotTold(WayFault.TIMEOUT) from None
        except httpx2.TransportError as fault:
            raise NotTold(_fault_of(fault)) from None

    async def _status(self, name: str, body: bytes, headers: Mapping[str, str]) -> int:
        settings = self._settings[name]
        async with (
            httpx2.AsyncClient(verify=self._trust[name], timeout=settings.timeout, trust_env=False) as client,
            client.stream("POST", settings.url, content=body, headers=headers, follow_redirects=False) as answer,
        ):
            return answer.status_code


def _check(status: int) -> None:
    if not 200 <= status < 300:
        raise NotTold(_CODES.get(status, WayFault.BUSY if status >= 500 else WayFault.REFUSED))


def _fault_of(fault: Exception) -> WayFault:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return WayFault.UNTRUSTED
        cause = cause.__cause__ or cause.__context__
    return WayFault.UNREACHABLE
