"""The coordinator's console of one adapter, put together: commands, answers, decisions on one store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.la.console.answers import Answers
from adapters.la.console.cancelling import Cancelling
from adapters.la.console.clock_keeping import Clocks
from adapters.la.console.clock_rows import KINDS
from adapters.la.console.coordinator import Coordinator, Office
from adapters.la.console.decision import DecisionMaker
from adapters.la.console.departed import Departed
from adapters.la.console.onward import Onward
from adapters.la.console.register import load_register
from adapters.la.console.retention import enquiries
from broker.calendar import MASH_CALENDAR
from schemas.content.notice import Bounce, Correction, OnwardAnswer, Seen
from schemas.content.response import Response

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter


@dataclass(frozen=True)
class Console:
    """Everything that a coordinator, a team manager or a decision maker does at this adapter."""

    office: Office
    coordinator: Coordinator
    answers: Answers
    decision_maker: DecisionMaker
    onward: Onward
    cancelling: Cancelling


def console_of(adapter: "Adapter") -> Console | None:
    """Give the console of an adapter whose settings name a register, and have it handle what comes back."""
    place = adapter.settings.file.register_file
    if place is None:
        return None
    office = Office(
        store=adapter.store,
        users=adapter.settings.users,
        register=load_register(adapter.settings.path(place)),
        calendar=MASH_CALENDAR,
        clock=adapter.clock,
        keyring=adapter.keyring,
        directory=adapter.directory,
    )
    console = Console(
        office, Coordinator(office), Answers(office), DecisionMaker(office), Onward(office), Cancelling(office)
    )
    adapter.handle(Response, console.answers.on_response)
    adapter.handle(Bounce, console.answers.on_bounce)
    adapter.handle(Seen, console.answers.on_seen)
    adapter.handle(Correction, console.answers.on_correction)
    adapter.handle(OnwardAnswer, console.onward.on_answer)
    clocks = Clocks(calendar=office.calendar)
    adapter.departures.hooks.append(Departed(office).on_left)
    adapter.keep_by(enquiries)
    adapter.on_timers(KINDS, clocks.on_timer, tidy=clocks.tidy)
    return console
