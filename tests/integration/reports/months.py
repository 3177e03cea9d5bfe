"""An October of real signed stubs in a real ledger: agencies that answer in time, late, or not at all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from broker.ledger.ledger import Ledger
from schemas.stub import Event
from tests.support.parties import Party, make_directory, make_party
from tests.unit.clocks.times import local
from tests.unit.watch.traffic import HEALTH, KINDS, LA, POLICE, Post

BEGAN = local("2025-09-30 09:00")
STARTS = local("2025-10-06 09:30")
MONTH = "2025-10"


@cache
def parties() -> Mapping[str, Party]:
    """Three participants whose keys were valid then, made once."""
    return {name: make_party(name, kind=kind, now=BEGAN, weeks=6) for name, kind in KINDS.items()}


class October:
    """Writes envelopes into a ledger, each as it would have passed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._post = Post(make_directory(*parties().values()), by=parties())

    async def pass_(
        self,
        sender: str,
        recipient: str,
        event: Event,
        *,
        thread: str,
        at: datetime,
        rag: str = "amber",
        answers: str | None = None,
    ) -> str:
        """Let an envelope pass and give its id; it answers the envelope with the id `answers`."""
        changes: dict[str, str] = {} if event is Event.RECEIPT else {"service_class": rag}
        verified = self._post.verified(sender, recipient, event, thread=thread, now=at, in_reply_to=answers, **changes)
        arrived = at + timedelta(seconds=1)
        directory = self._post.directory
        await self._ledger.append(verified, ingress_owner=sender, directory=directory, received_at=arrived)
        return verified.stub.mid

    async def ask(self, agency: str, thread: str, *, at: datetime, after: timedelta | None, rag: str = "amber") -> None:
        """Ask an agency, which receipts at once, opens it in ten minutes, and answers after so long or never."""
        asked = await self.pass_(LA, agency, Event.REQUEST, thread=thread, at=at, rag=rag)
        soon = at + timedelta(seconds=3)
        await self.pass_(agency, LA, Event.RECEIPT, thread=thread, at=soon, answers=asked)
        if after is None:
            return
        seen = at + timedelta(minutes=10)
        await self.pass_(agency, LA, Event.ACKNOWLEDGED, thread=thread, at=seen, rag=rag, answers=asked)
        await self.pass_(agency, LA, Event.ANSWER, thread=thread, at=at + after, rag=rag, answers=asked)

    async def rise(self, agency: str, thread: str, *, at: datetime) -> None:
        """Ask under AMBER, rate RED after an hour; the answer comes two hours later."""
        asked = await self.pass_(LA, agency, Event.REQUEST, thread=thread, at=at)
        await self.pass_(LA, agency, Event.RERATED, thread=thread, at=at + timedelta(hours=1), rag="red")
        late = at + timedelta(hours=3)
        await self.pass_(agency, LA, Event.ANSWER, thread=thread, at=late, rag="red", answers=asked)


async def fill(ledger: Ledger, *, requests: int = 36) -> None:
    """Ask police and health in turn; every ninth answer is late, every twelfth never comes, one is rated anew."""
    october = October(ledger)
    for number in range(requests):
        at = STARTS + timedelta(days=number % 19, minutes=number)
        agency = (POLICE, HEALTH)[number % 2]
        after = None if number % 12 == 11 else timedelta(days=4) if number % 9 == 8 else timedelta(minutes=50)
        rag = ("amber", "red", "green")[number // 2 % 3]
        await october.ask(agency, f"thread-{number}", at=at, after=after, rag=rag)
    await october.rise(POLICE, "risen", at=STARTS + timedelta(days=3))
