"""What a practitioner writes down so that an answer is lawful: the form, and the advice that was asked.

A person's record replaces nothing that the rules decided; it is looked at by `proposal`, and an answer does not go
while something in it is missing.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.kit.desk.clocks import set_desk_clocks
from adapters.kit.desk.intake import KIND
from adapters.kit.desk.practitioner import Desk
from adapters.kit.desk.proposal import Proposal
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.lawful.standing import Standing
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.filing import read, write
from adapters.kit.store.store import Store
from adapters.kit.users import Users
from schemas.content.lawfulness import Advice, LawfulNotes

ADVISERS = frozenset({"legal", "dpo", "caldicott"})


class LawfulDesk:
    """The records of lawfulness at one agency's desk."""

    def __init__(
        self, desk: Desk, *, standing: Standing, store: Store, users: Users, clock: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._standing = standing
        self._store = store
        self._users = users
        self._clock = clock

    async def form(self, rfi: str, *, user: str) -> LawfulNotes:
        """Give the form for the answer as it stands, filled in where that is settled (LAW-24)."""
        return (await self._desk.standing(rfi, user=user)).form(standing=self._standing)

    async def record(self, rfi: str, notes: LawfulNotes, *, user: str) -> Proposal:
        """Keep the filled-in form; it replaces an earlier one. Raises `Refused` for a record that is not here."""
        await self._change(rfi, "lawfulness recorded", user=user, step=lambda file: _with_notes(file, notes))
        return await self._desk.standing(rfi, user=user)

    async def ask_advice(self, rfi: str, of: str, *, user: str) -> RequestFile:
        """Note that advice was asked; the clock of the answer runs on (LAW-28)."""
        refuse_if([] if of in ADVISERS else [f"LAW-28: advice is asked of {', '.join(sorted(ADVISERS))}"])
        asked = Advice(of=of, asked_at=self._clock())
        return await self._change(
            rfi, f"advice of {of} asked", user=user, step=lambda file: {"advice": (*file.advice, asked)}
        )

    async def advice_given(self, rfi: str, of: str, *, user: str) -> RequestFile:
        """Note that the advice has come. Raises `Refused` where none was asked."""
        at = self._clock()

        def step(file: RequestFile) -> dict[str, object]:
            refuse_if([] if any(_awaited(one, of) for one in file.advice) else [f"no advice of {of} is awaited"])
            given = {"answered_at": at}
            return {"advice": tuple(one.model_copy(update=given) if _awaited(one, of) else one for one in file.advice)}

        return await self._change(rfi, f"advice of {of} given", user=user, step=step)

    async def _change(
        self, rfi: str, what: str, *, user: str, step: Callable[[RequestFile], dict[str, object]]
    ) -> RequestFile:
        self._users.find(user)
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            changed = file.noting(what, at=self._clock(), by=user, **step(file))
            await write(tx, KIND, rfi, changed, version=version)
            await set_desk_clocks(tx, rfi, changed)
        return changed


def _with_notes(file: RequestFile, notes: LawfulNotes) -> dict[str, object]:
    unknown = sorted(notes.records.keys() - {one.key for one in file.candidates})
    if unknown:
        raise Refused([f"no record {key} was found for this request" for key in unknown])
    return {"lawful": notes}


def _awaited(one: Advice, of: str) -> bool:
    return one.of == of and one.answered_at is None
