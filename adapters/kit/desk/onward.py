"""Answering a requester's question whether one more audience may have an item that we sent (DIS-04).

The agency's safeguarding lead answers, for one item and one audience, until a date or until it is taken back. Nothing
but this answer widens an item's audiences, and it is signed by the envelope it travels in.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.desk.intake import KIND, tell
from adapters.kit.desk.request_file import OnwardAsked, RequestFile
from adapters.kit.refusal import Refused
from adapters.kit.store.filing import read, write
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from adapters.kit.users import Users
from schemas.content.codes import Audience
from schemas.content.notice import OnwardAnswer, OnwardRequest


class OnwardDesk:
    """Questions about onward disclosure at one agency; `lead` is the role that answers them."""

    def __init__(self, *, lead: str, store: Store, users: Users, clock: Callable[[], datetime]) -> None:
        self._lead = lead
        self._store = store
        self._users = users
        self._clock = clock

    async def on_request(self, tx: Transaction, received: Received, message: OnwardRequest) -> None:
        """File the question. One about an item that was not sent to this requester is refused (E25)."""
        file, version = await read(tx, RequestFile, KIND, message.rfi)
        sent = {one.item for one in file.candidates if one.sent_in_part is not None}
        if received.original.peer != file.sender or message.item not in sent or message.audience not in set(Audience):
            raise Refused(["E25: a question about something that was not sent"])
        if any(one.question == message.question for one in file.onward):
            return
        asked = OnwardAsked(
            question=message.question,
            item=message.item,
            audience=message.audience,
            reason=message.reason,
            asked_at=message.asked_at,
        )
        changed = file.noting(
            f"asked about {message.audience}",
            at=received.received_at,
            by=received.original.peer,
            onward=(*file.onward, asked),
        )
        await write(tx, KIND, message.rfi, changed, version=version)

    async def answer(
        self, rfi: str, question: str, *, granted: bool, valid_until: datetime | None, user: str
    ) -> OnwardAnswer:
        """Answer, or take an earlier grant back. Raises `Refused` without the role or for an unknown question."""
        self._users.require(user, self._lead)
        now = self._clock()
        if granted and valid_until is not None and valid_until <= now:
            raise Refused(["DIS-04: a grant that has ended already is none; name a later time"])
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            asked = _asked(file, rfi=rfi, question=question)
            notice = OnwardAnswer(
                enquiry=file.rfi.enquiry,
                rfi=rfi,
                item=asked.item,
                question=question,
                audience=asked.audience,
                granted=granted,
                valid_until=valid_until if granted else None,
                decided_by=self._lead,
                decided_at=now,
            )
            refs = {"rfi": rfi, "item": asked.item, "audience": asked.audience, "granted": str(granted).lower()}
            await tx.record("onward disclosure", refs=refs, detail=notice.canonical_bytes())
            await tell(tx, file, notice, event="NTC", user=user, role=self._lead)
            await write(tx, KIND, rfi, _answered(file, notice, by=user), version=version)
        return notice


def _asked(file: RequestFile, *, rfi: str, question: str) -> OnwardAsked:
    """Find the question. Raises `Refused` if nobody has asked it."""
    asked = next((one for one in file.onward if one.question == question), None)
    if asked is None:
        raise Refused([f"no question {question} about {rfi}; `mash inbox show` lists them"])
    return asked


def _answered(file: RequestFile, notice: OnwardAnswer, *, by: str) -> RequestFile:
    """Give the file with the question answered, and a line of its history."""
    answer = {
        "granted": notice.granted,
        "valid_until": notice.valid_until,
        "answered_by": by,
        "answered_at": notice.decided_at,
    }
    onward = tuple(one.model_copy(update=answer) if one.question == notice.question else one for one in file.onward)
    outcome = "granted" if notice.granted else "refused"
    return file.noting(f"{notice.audience} {outcome}", at=notice.decided_at, by=by, onward=onward)
