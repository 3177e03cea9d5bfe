"""Notices by GOV.UK Notify, as email and as text message, through its own client in a thread.

It guarantees: the personalisation is the notice's four fields; a key that was revoked, a clock that Notify does not
believe, a limit that is used up are told apart; what was accepted is followed until Notify says that it was delivered
or that it never will be; every wait is bounded.
The client blocks and is not safe between threads: each call has one of its own, in a small pool of its own, so that a
server that hangs holds up neither the loop nor anybody else's threads.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient
from requests import RequestException

from broker.alerts.desks import Route, Way
from broker.alerts.notice import Notice
from broker.alerts.routing import Accepted, Fate, NotTold, WayFault
from broker.alerts.secrets import Secret
from broker.alerts.settings import NotifySettings

KEY: Final = "notify.key"
Question = Callable[[Any], Any]
"""What is asked of a client, which ships no types."""
_Client: Final[Any] = NotificationsAPIClient
_THREADS: Final = 8
_CODES: Final[Mapping[int, WayFault]] = {
    401: WayFault.KEY,
    403: WayFault.KEY,
    429: WayFault.BUSY,
}
_NEVER: Final = frozenset({"permanent-failure", "temporary-failure", "technical-failure", "validation-failed"})
"""What Notify calls something that will not arrive; it does not try again by itself then."""
_CLOCK: Final = "system clock"
"""In Notify's answer to a token whose time it does not believe (its documentation, "Error codes")."""


class NotifyCarrier:
    """Carries notices by GOV.UK Notify."""

    def __init__(self, settings: NotifySettings, *, key: Secret) -> None:
        # The client's timeout is for connecting and for each silence; the limit is for everything.
        self.limit = settings.timeout * 1.5
        self._settings, self._key = settings, key
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mash-notify")

    async def tell(self, route: Route, notice: Notice, *, telling: int) -> Accepted:
        """Send an email or a text message; the receipt is Notify's id of it."""
        settings, said, name = self._settings, notice.plain(), f"mash-{telling}"
        if route.way is Way.NOTIFY_TEXT:
            answer = await self._ask(
                lambda client: client.send_sms_notification(route.address, settings.text_template, said, name)
            )
        else:
            answer = await self._ask(
                lambda client: client.send_email_notification(route.address, settings.email_template, said, name)
            )
        return Accepted(str(answer.get("id", ""))[:64])

    async def probe(self, route: Route) -> None:
        """Look at the template: a revoked key and a template that is gone are both found out."""
        settings = self._settings
        template = settings.text_template if route.way is Way.NOTIFY_TEXT else settings.email_template
        await self._ask(lambda client: client.get_template(template))

    async def fate(self, receipt: str) -> Fate:
        """Ask Notify what became of an email or a text message."""
        answer = await self._ask(lambda client: client.get_notification_by_id(receipt))
        status = answer.get("status")
        if status in _NEVER:
            raise NotTold(WayFault.BOUNCED)
        return Fate.DELIVERED if status == "delivered" else Fate.UNDERWAY

    def close(self) -> None:
        """Let the threads go; what hangs in one ends by its own timeout."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, question: Question) -> Mapping[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask_here, question)

    def _ask_here(self, question: Question) -> Mapping[str, Any]:
        settings = self._settings
        client = _Client(self._key.reveal(), base_url=settings.base_url, timeout=settings.timeout)
        with client.request_session:
            try:
                answer = question(client)
            except APIError as refused:
                raise NotTold(_fault_of(refused)) from None
            except RequestException:
                raise NotTold(WayFault.UNREACHABLE) from None
        if not isinstance(answer, dict):
            raise NotTold(WayFault.REFUSED)
        return answer


def _fault_of(refused: APIError) -> WayFault:
    if refused.response is None:
        return WayFault.UNREACHABLE
    code = refused.response.status_code
    if code == 403 and _CLOCK in str(refused.message).lower():
        return WayFault.CLOCK
    return _CODES.get(code, WayFault.BUSY if code >= 500 else WayFault.REFUSED)
