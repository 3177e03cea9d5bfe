"""Duty desks: who is there to be told, by which way and when; values and pure questions, no file and no clock.

A desk belongs to a participant or to the hub. It has posts on the rungs of the escalation ladder (SLA-08, GOV-05) and
routes for the hours when nobody is there. A post is a function, never a person.
It guarantees: a post that is on leave, or whose office is closed, is not on duty; a leave covers whole days in London;
addresses are in no repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from broker.alerts.kinds import HUB, Urgency
from broker.calendar import LONDON, MIDNIGHT, Hours, NeverOpenError, Span, WorkingCalendar, as_utc
from broker.sla import Allowance, Contact, elapsed, working_days, working_hours

LADDER: Final = (Contact.CONTACT_OFFICER, Contact.DEPUTY, Contact.SPOC, Contact.AGENCY_LEAD)
OUT_OF_HOURS: Final = "out_of_hours"
"""The rung, and the post, of whoever answers for a desk when nobody is there."""
ROUND_THE_CLOCK: Final = WorkingCalendar(
    week=(Hours(MIDNIGHT, MIDNIGHT),) * 7, bank_holidays=frozenset(), known_years=None
)
# FAN-07, sla.md: a human acknowledges RED within 30 minutes, AMBER within 2 working hours, GREEN within a working day.
DEFAULT_PATIENCE: Final[Mapping[Urgency, Allowance]] = {
    Urgency.NOW: elapsed(minutes=30),
    Urgency.TODAY: working_hours(2),
    Urgency.WEEK: working_days(1),
}


class Way(StrEnum):
    """How somebody is told."""

    MAIL = "mail"
    NOTIFY_EMAIL = "notify_email"
    NOTIFY_TEXT = "notify_text"
    WEBHOOK = "webhook"
    PAGE = "page"


@dataclass(frozen=True)
class Route:
    """A way and where it leads: an address, a number, a webhook's name, or nothing for the desktop page."""

    way: Way
    address: str = field(default="", repr=False)


@dataclass(frozen=True)
class Post:
    """One post of a desk. `round_the_clock`: always staffed, also when the agency's office is closed."""

    name: str
    rung: Contact
    routes: tuple[Route, ...]
    leave: tuple[Span, ...] = ()
    round_the_clock: bool = False

    def is_on_duty(self, now: datetime, *, calendar: WorkingCalendar) -> bool:
        """Say whether the post may be told at `now`; `calendar` is the agency's own."""
        hours = ROUND_THE_CLOCK if self.round_the_clock else calendar
        return self._leave_at(now) is None and hours.is_working(now)

    def next_on_duty(self, now: datetime, *, calendar: WorkingCalendar) -> datetime | None:
        """Give when the post is next on duty, `now` if it is; None if its office never opens again."""
        hours = ROUND_THE_CLOCK if self.round_the_clock else calendar
        moment = now
        try:
            # Each turn leaves one leave behind, so there are at most as many turns as leaves, and one.
            for _ in range(len(self.leave) + 1):
                moment = hours.next_working_moment(moment)
                leave = self._leave_at(moment)
                if leave is None:
                    return moment
                moment = as_utc(datetime.combine(leave.last + timedelta(days=1), time(0), LONDON))
        except NeverOpenError:
            return None
        return None

    def _leave_at(self, moment: datetime) -> Span | None:
        day = moment.astimezone(LONDON).date()
        covering = [span for span in self.leave if day in span]
        return max(covering, key=lambda span: span.last, default=None)


@dataclass(frozen=True)
class Desk:
    """The desk of one participant. `out_of_hours` is used for what cannot wait when no post is on duty."""

    name: str
    posts: tuple[Post, ...] = ()
    calendar: WorkingCalendar = ROUND_THE_CLOCK
    out_of_hours: tuple[Route, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether nobody could ever be told here."""
        return not self.posts and not self.out_of_hours

    def on_rung(self, rung: Contact) -> tuple[Post, ...]:
        """Give the posts of a rung."""
        return tuple(post for post in self.posts if post.rung is rung)

    def routes_of(self, rung: str, post: str) -> tuple[Route, ...]:
        """Give the routes of a post, or of the out-of-hours rung; none for a post that is there no more."""
        if rung == OUT_OF_HOURS:
            return self.out_of_hours
        return next((one.routes for one in self.posts if (one.rung, one.name) == (rung, post)), ())

    def on_duty_at(self, rung: str, post: str, now: datetime) -> datetime | None:
        """Give when a post may be told, `now` if at once; None if never, or if it is there no more."""
        if rung == OUT_OF_HOURS:
            return now
        found = next((one for one in self.posts if (one.rung, one.name) == (rung, post)), None)
        return found.next_on_duty(now, calendar=self.calendar) if found else None


@dataclass(frozen=True)
class Duty:
    """Every desk, and how long a rung has before the next one is told. `telephone` is the hub's own desk's.

    `has_canary`: mails to ourselves are sent and looked for.
    """

    desks: Mapping[str, Desk]
    telephone: str = ""
    patience: Mapping[Urgency, Allowance] = field(default_factory=lambda: DEFAULT_PATIENCE)
    has_canary: bool = False

    def desk(self, name: str) -> Desk:
        """Give a desk; of whoever has none, an empty one."""
        return self.desks.get(name) or Desk(name)

    @property
    def hub(self) -> Desk:
        """The hub's own desk."""
        return self.desk(HUB)
