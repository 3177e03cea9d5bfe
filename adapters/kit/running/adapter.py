"""One adapter, put together: settings, keys, directory, store, desk, and the link to the hub.

`Adapter.opened` is for commands and for the running adapter alike; only `exclusive` ones may connect. What arrives is
handed to the handler of its message type; a message of a type that this adapter does not handle is refused (E23), and
what a handler refuses is told to the sender as E25, never raised into the worker.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Self

from pydantic import ValidationError

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.delivery.reopening import keep_openings
from adapters.kit.desk.answer import Holder
from adapters.kit.desk.clocks import KINDS, on_desk_timer
from adapters.kit.desk.intake import Intake
from adapters.kit.desk.lawful_desk import LawfulDesk
from adapters.kit.desk.onward import OnwardDesk
from adapters.kit.desk.practitioner import Desk
from adapters.kit.desk.retention import requests
from adapters.kit.disclosure import load_pack
from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.envelope.sealing import Section
from adapters.kit.envelope.verification import Refusal
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import (
    CredentialProtector,
    PassphraseProtector,
    Protector,
    refuse_if_readable_by_others,
)
from adapters.kit.lookup.records import Records
from adapters.kit.refusal import Refused
from adapters.kit.running.departures import Departures
from adapters.kit.running.link import Link
from adapters.kit.running.manifests import Manifests
from adapters.kit.running.partners import Partners
from adapters.kit.running.retention import Matters, Retention
from adapters.kit.running.settings import AdapterSettings
from adapters.kit.running.timekeeper import OnTimer, Tidy, Timekeeper
from adapters.kit.store.filing import NotHere
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from broker.hub import HubConnection
from schemas.content.notice import (
    Cancellation,
    CorrectionAcknowledgement,
    OnwardRequest,
    OutcomeNotice,
    Request,
    Rerating,
    read_message,
)
from schemas.directory import Directory

Clock = Callable[[], datetime]
Handle = Callable[[Transaction, Received, Any], Awaitable[None]]
REFUSED_FORMAT = "REJ-FORMAT"
REFUSED_STATE = "REJ-STATE"
ANCHOR = "store.anchor"
OPENED_ON_ARRIVAL = ("gateway", "team")


def wall_clock() -> datetime:
    """Give the time now, in UTC."""
    return datetime.now(UTC)


class Adapter:
    """An adapter at work. Use `Adapter.opened`."""

    def __init__(
        self,
        settings: AdapterSettings,
        *,
        keyring: Keyring,
        directory: Callable[[], Directory],
        store: Store,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.keyring = keyring
        self.directory = directory
        self.store = store
        self.clock = clock
        self.envelopes = KeyedEnvelopes(
            participant=settings.file.participant,
            sender_keys=keyring.sender_keys,
            recipient_keys=lambda now: keyring.recipient_keys(OPENED_ON_ARRIVAL, now),
            directory=directory,
        )
        store.use_envelopes(self.envelopes)
        self.manifests = Manifests(settings.file.participant, store, directory, keyring.sender_keys)
        self.departures = Departures(settings.file.participant, store, directory)
        self._records: Records | None = None
        self.pack = load_pack(settings.file.kind)
        self.desk = self._desk()
        self.lawful = LawfulDesk(
            self.desk, standing=settings.file.lawful, store=store, users=settings.users, clock=clock
        )
        self.onward = OnwardDesk(
            lead=self.pack.agency.safeguarding_lead, store=store, users=settings.users, clock=clock
        )
        self._handlers: dict[type, Handle] = {}
        self._on_timer: dict[str, OnTimer] = dict.fromkeys(KINDS, on_desk_timer)
        self._tidies: list[Tidy] = []
        self._matters: list[Matters] = [requests]
        self._take_in(Intake(kind=settings.file.kind, clock=clock))

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        settings: AdapterSettings,
        *,
        directory: Callable[[], Directory],
        clock: Clock = wall_clock,
        exclusive: bool = False,
        clock_accepted_by: str = "",
        stores: type[Store] = Store,
    ) -> AsyncIterator[Self]:
        """Open keys and store, of a kind. Raises what they raise; see `store_errors` and `protectors`.

        What notices a restored backup lies with the keys, not with the database, which may be anywhere.
        """
        keys = settings.path(settings.file.keys)
        keyring = Keyring.open(keys, protector=protector_of(settings), now=clock())
        async with stores.open(
            settings.store_url,
            participant=settings.file.participant,
            store_key=keyring.store_key(),
            clock=clock,
            exclusive=exclusive,
            anchor=keys / ANCHOR,
            clock_accepted_by=clock_accepted_by,
        ) as store:
            yield cls(settings, keyring=keyring, directory=directory, store=store, clock=clock)

    def handle(self, message: type, handler: Handle) -> None:
        """Hand messages of this type to `handler`."""
        self._handlers[message] = handler

    def on_timers(self, kinds: Iterable[str], handler: OnTimer, *, tidy: Tidy) -> None:
        """Hand timers of these kinds to `handler` when they fire; `tidy` clears alarms whose cause is over."""
        self._on_timer |= dict.fromkeys(kinds, handler)
        self._tidies.append(tidy)

    def timekeeper(self, clock: Clock | None = None) -> Timekeeper:
        """Give what fires this adapter's timers, by its own clock or by one that can be trusted more."""
        return Timekeeper(self.store, self._on_timer, clock=clock or self.clock, tidies=tuple(self._tidies))

    def keep_by(self, matters: Matters) -> None:
        """Keep and erase what `matters` finds by the schedule of the settings."""
        self._matters.append(matters)

    def retention(self) -> Retention:
        """Give what carries the retention schedule out."""
        return Retention(self.store, self.settings.file.retention, tuple(self._matters))

    def linked(self, connection: HubConnection, partners: Partners | None = None) -> Link:
        """Give the link to the hub over this connection; with `partners` it sends only while they allow it."""
        return Link(
            store=self.store,
            envelopes=self.envelopes,
            connection=connection,
            apply=self.apply,
            partners=partners,
            manifests=self.manifests,
        )

    async def apply(self, tx: Transaction, received: Received) -> Refusal | None:
        """Act on one message. A partner's fault is a value with a reason; an exception is ours."""
        plain = received.opened.sections.get(Section.TEAM)
        try:
            message = read_message(plain or b"")
        except ValidationError:
            return Refusal("E23", REFUSED_FORMAT, "payload schema")
        handler = self._handlers.get(type(message))
        if handler is None:
            return Refusal("E23", REFUSED_FORMAT, f"{message.type} is not for this adapter")
        try:
            await handler(tx, received, message)
        except (Refused, NotHere):
            return Refusal("E25", REFUSED_STATE, f"{message.type} does not fit what is on file")
        await keep_openings(
            tx, received.original.peer, received.original.mid, received.original.thread, received.opened
        )
        return None

    def open_records(self) -> Records:
        """Open the agency's own records, once. Raises `Refused` where the settings name none."""
        location = self.settings.records_location
        if location is None:
            raise Refused(["adapter.toml names no records; a look-up needs them"])
        if self._records is None:
            self._records = import_module(f"adapters.{self.settings.file.kind}.records").open_records(location)
        return self._records

    def _desk(self) -> Desk:
        file = self.settings.file
        holder = Holder(
            participant=file.participant,
            kind=file.kind,
            contact=file.answers.contact,
            telephone=file.answers.telephone,
        )
        return Desk(
            holder=holder,
            pack=self.pack,
            records=self.open_records,
            store=self.store,
            users=self.settings.users,
            clock=self.clock,
            standing=file.lawful,
        )

    def _take_in(self, intake: Intake) -> None:
        self.handle(Request, intake.on_request)
        self.handle(Rerating, intake.on_rerating)
        self.handle(OutcomeNotice, intake.on_outcome)
        self.handle(Cancellation, intake.on_cancellation)
        self.handle(CorrectionAcknowledgement, intake.on_correction_acknowledged)
        self.handle(OnwardRequest, self.onward.on_request)


def protector_of(settings: AdapterSettings) -> Protector:
    """Give what the key file is locked with: a token, a passphrase in a file of its owner, or a service credential."""
    file = settings.file
    if file.token is not None:
        from adapters.kit.keys.token import TokenProtector

        pin_file = settings.path(file.token.pin_file)
        return TokenProtector(settings.path(file.token.module), label=file.token.label, pin_file=pin_file)
    if file.passphrase_file is not None:
        place = settings.path(file.passphrase_file)
        refuse_if_readable_by_others(place)
        return PassphraseProtector(place.read_text("utf-8").strip())
    folder = settings.path(file.credentials) if file.credentials else None
    return CredentialProtector(folder=folder)
