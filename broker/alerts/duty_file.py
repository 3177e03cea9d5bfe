"""The duty file: a TOML file with the duty desks of every participant, and how they are reached.

It guarantees: the file is closed (an unknown word is refused, not skipped); a way that nothing is set up for, a webhook
that is not described, a leave that ends before it begins are refused with the file, the place and what to do; what was
typed is not repeated, because it may be somebody's number. A sample with every word: `deploy/alerts/duty.toml`.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from broker.alerts.desks import DEFAULT_PATIENCE, LADDER, Desk, Duty, Post, Route, Way
from broker.alerts.kinds import HUB, Urgency
from broker.alerts.settings import (
    MAIL_ADDRESS,
    LinkSettings,
    MailSettings,
    NotifySettings,
    Settings,
    WebhookSettings,
)
from broker.calendar import Span
from broker.calendars import AllowanceText, Calendars
from broker.errors import HubError
from broker.sla import Contact
from schemas.agency import ParticipantId

_ADDRESSES: Final = {
    Way.MAIL: (MAIL_ADDRESS, "a mail address"),
    Way.NOTIFY_EMAIL: (MAIL_ADDRESS, "a mail address"),
    Way.NOTIFY_TEXT: (re.compile(r"\+?[0-9][0-9 ]{6,19}"), "a mobile number"),
    Way.WEBHOOK: (re.compile(r"[a-z0-9-]{1,40}"), "the name of a [webhooks.NAME] table"),
    Way.PAGE: (re.compile(r""), "nothing after it"),
}


class DutyFileUnreadable(HubError):
    """The duty file is not understood, so nobody would be told of anything: correct these places and start again."""


def read_route(text: object) -> Route:
    """Read `mail:ADDRESS`, `notify_email:ADDRESS`, `notify_text:NUMBER`, `webhook:NAME` or `page`."""
    name, _, address = text.partition(":") if isinstance(text, str) else ("", "", "")
    if name not in [way.value for way in Way]:
        raise ValueError("write mail:ADDRESS, notify_email:ADDRESS, notify_text:NUMBER, webhook:NAME or page")
    alphabet, what = _ADDRESSES[Way(name)]
    if alphabet.fullmatch(address) is None:
        raise ValueError(f"write {name} with {what}")
    return Route(Way(name), address)


def read_rung(text: object) -> Contact:
    """Read a rung of the ladder."""
    if text not in [rung.value for rung in LADDER]:
        raise ValueError("write contact_officer, deputy, spoc or agency_lead")
    return Contact(str(text))


RouteText = Annotated[Route, BeforeValidator(read_route)]
RungText = Annotated[Contact, BeforeValidator(read_rung)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$")]
Telephone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ]{2,19}$")]


class PatienceSettings(Settings):
    """How long a rung has before the next one is told."""

    now: AllowanceText = DEFAULT_PATIENCE[Urgency.NOW]
    today: AllowanceText = DEFAULT_PATIENCE[Urgency.TODAY]
    week: AllowanceText = DEFAULT_PATIENCE[Urgency.WEEK]


class LeaveSettings(Settings):
    """A leave, both days included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        Span(self.first, self.last)
        return self


class PostSettings(Settings):
    """One post: its rung, the ways it is told by, when it is away."""

    post: Name
    rung: RungText
    ways: Annotated[tuple[RouteText, ...], Field(min_length=1)]
    leave: tuple[LeaveSettings, ...] = ()
    round_the_clock: bool = False

    def made(self) -> Post:
        """Give the post."""
        leave = tuple(Span(one.first, one.last) for one in self.leave)
        return Post(self.post, self.rung, self.ways, leave, self.round_the_clock)


class DeskSettings(Settings):
    """One desk."""

    posts: tuple[PostSettings, ...] = ()
    out_of_hours: tuple[RouteText, ...] = ()

    @model_validator(mode="after")
    def _names_each_post_once(self) -> Self:
        twice = [name for name, count in Counter(post.post for post in self.posts).items() if count > 1]
        if twice:
            raise ValueError("give every post of a desk a name of its own")
        return self

    def routes(self) -> Iterator[Route]:
        """Give every route."""
        yield from self.out_of_hours
        for post in self.posts:
            yield from post.ways


class HubDeskSettings(DeskSettings):
    """The hub's own desk, which is told whatever nobody else can be told. `telephone`: who helps everybody else."""

    telephone: Telephone
    posts: Annotated[tuple[PostSettings, ...], Field(min_length=1)]


class DutySettings(Settings):
    """The whole file."""

    page: LinkSettings
    hub: HubDeskSettings
    desks: dict[ParticipantId, DeskSettings] = Field(default_factory=dict)
    patience: PatienceSettings = PatienceSettings()
    mail: MailSettings | None = None
    notify: NotifySettings | None = None
    webhooks: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")], WebhookSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_way_is_set_up(self) -> Self:
        if HUB in self.desks:
            raise ValueError("write the hub's own desk as [hub]")
        for name, desk in ((HUB, self.hub), *self.desks.items()):
            for route in desk.routes():
                self._check(route, desk=name)
        return self

    def _check(self, route: Route, *, desk: str) -> None:
        tables = {Way.MAIL: self.mail, Way.NOTIFY_EMAIL: self.notify, Way.NOTIFY_TEXT: self.notify}
        if route.way in tables and tables[route.way] is None:
            table = "mail" if route.way is Way.MAIL else "notify"
            raise ValueError(f"desk {desk} is told by {route.way.value}: write a [{table}] table")
        if route.way is Way.WEBHOOK and route.address not in self.webhooks:
            raise ValueError(f"desk {desk} is told by a webhook that is not there: write [webhooks.{route.address}]")

    def duty(self, calendars: Calendars) -> Duty:
        """Give the desks, each with its agency's calendar; the hub's keeps the area's hours."""
        desks = {name: _desk(name, desk, calendars) for name, desk in ((HUB, self.hub), *self.desks.items())}
        waits = {Urgency.NOW: self.patience.now, Urgency.TODAY: self.patience.today, Urgency.WEEK: self.patience.week}
        has_canary = self.mail is not None and self.mail.canary is not None
        return Duty(desks, self.hub.telephone, waits, has_canary)


@dataclass(frozen=True)
class DutyFile:
    """What was read: the settings of the servers, and the desks."""

    settings: DutySettings
    duty: Duty


def read_duty_file(path: Path, *, calendars: Calendars) -> DutyFile:
    """Read the duty file. Raises `DutyFileUnreadable`, which names the file, every place and what to write there."""
    try:
        text = path.read_bytes()
    except OSError as wrong:
        raise DutyFileUnreadable(f"({path}: {type(wrong).__name__})") from None
    return understand(text, path=path, calendars=calendars)


def understand(text: bytes, *, path: Path, calendars: Calendars) -> DutyFile:
    """Understand a duty file's bytes; `path` is named in what `DutyFileUnreadable` says."""
    try:
        settings = DutySettings.model_validate(tomllib.loads(text.decode("utf-8")))
    except ValidationError as wrong:
        raise DutyFileUnreadable(f"({path}: {_places(wrong)})") from None
    except tomllib.TOMLDecodeError as wrong:
        raise DutyFileUnreadable(f"({path}: not TOML, {_position(str(wrong))})") from None
    except ValueError as wrong:
        raise DutyFileUnreadable(f"({path}: {type(wrong).__name__})") from None
    return DutyFile(settings, settings.duty(calendars))


def _desk(name: str, settings: DeskSettings, calendars: Calendars) -> Desk:
    calendar = calendars.area if name == HUB else calendars.of(name)
    return Desk(name, tuple(post.made() for post in settings.posts), calendar, settings.out_of_hours)


def _places(wrong: ValidationError) -> str:
    """Name every place and what belongs there; never what was typed."""
    found = wrong.errors(include_input=False, include_url=False, include_context=False)
    named = (
        (".".join(map(str, error["loc"])) or "the whole file", error["msg"].removeprefix("Value error, "))
        for error in found
    )
    return "; ".join(f"{place}: {what}" for place, what in named)


def _position(text: str) -> str:
    """Give where TOML stopped being understood, and not the text that was there."""
    found = re.search(r"line \d+, column \d+|end of document", text)
    return found[0] if found else "somewhere"
