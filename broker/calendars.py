"""The calendars and service levels of one area and of its agencies, as its settings file words them.

It guarantees: settings are closed (an unknown word is refused, not skipped), and every calendar that does not know a
year is named by `uncovered`.
Due times always use the area's calendar and never an agency's (SLA-07): a school that is on holiday for six weeks would
otherwise owe its answer in September. An agency's own calendar says when somebody is there to be alerted.
Source of the allowances' wording: `4 hours`, `30 minutes`, `2 working hours`, `1 working day`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from broker.calendar import MASH_CALENDAR, MIDNIGHT, OFFICE_WEEK, Hours, Span, Week, WorkingCalendar
from broker.sla import DEFAULT_ALLOWANCES, Allowance, Allowances, elapsed, working_days, working_hours
from schemas.agency import ParticipantId

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALLOWANCE: Final = re.compile(r"(\d{1,4}) (minute|hour|working hour|working day)s?")
PATTERNS: Final[Mapping[str, Week]] = {
    "office": OFFICE_WEEK,
    "surgery": (Hours(time(8), time(18, 30)),) * 5 + (None, None),
    "round_the_clock": (Hours(MIDNIGHT, MIDNIGHT),) * 7,
}


def read_hours(text: object) -> Hours | None:
    """Read `09:00-17:00`, or `closed` as None. Raises `ValueError`."""
    if text == "closed":
        return None
    found = re.fullmatch(r"(\d\d:\d\d)-(\d\d:\d\d)", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("hours read like 09:00-17:00, or closed")
    opens, closes = found.groups()
    return Hours(time.fromisoformat(opens), MIDNIGHT if closes == "24:00" else time.fromisoformat(closes))


def read_allowance(text: object) -> Allowance:
    """Read `4 hours`, `30 minutes`, `2 working hours` or `1 working day`. Raises `ValueError`."""
    found = ALLOWANCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("an allowance reads like 4 hours, 30 minutes, 2 working hours or 1 working day")
    number, unit = int(found[1]), found[2]
    if unit == "working day":
        return working_days(number)
    return working_hours(number) if unit == "working hour" else elapsed(**{f"{unit}s": number})


AllowanceText = Annotated[Allowance, BeforeValidator(read_allowance)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class SpanSettings(_Settings):
    """A closure or a term, both days included."""

    first: date
    last: date


class ByRatingSettings(_Settings):
    """Allowances by rating; those left out stay as they are."""

    red: AllowanceText | None = None
    amber: AllowanceText | None = None
    green: AllowanceText | None = None


class AllowanceSettings(_Settings):
    """Service levels that differ from the domain's; those left out stay as they are."""

    response: ByRatingSettings = ByRatingSettings()
    phone_call: ByRatingSettings = ByRatingSettings()
    human_ack: ByRatingSettings = ByRatingSettings()
    onward_question: ByRatingSettings = ByRatingSettings()
    adapter_ack: AllowanceText | None = None
    decision: AllowanceText | None = None
    outcome_to_partners: AllowanceText | None = None
    referrer_below_threshold: AllowanceText | None = None
    referrer_other: AllowanceText | None = None
    correction_ack: AllowanceText | None = None
    marac_minutes: AllowanceText | None = None


class OfficeSettings(_Settings):
    """When one office is open: a pattern, days that differ from it, closures, and terms where terms apply."""

    pattern: Literal["office", "surgery", "round_the_clock"] = "office"
    week: dict[Weekday, Annotated[Hours | None, BeforeValidator(read_hours)]] = Field(default_factory=dict)
    keeps_bank_holidays: bool = True
    closures: tuple[SpanSettings, ...] = ()
    terms: tuple[SpanSettings, ...] | None = None
    allowances: AllowanceSettings = AllowanceSettings()


class AreaSettings(_Settings):
    """The settings file: the area's office, and those agencies whose hours are their own."""

    area: OfficeSettings = OfficeSettings()
    agencies: dict[ParticipantId, OfficeSettings] = Field(default_factory=dict)


@dataclass(frozen=True)
class Calendars:
    """The calendars of an area. An agency without one of its own is taken to keep the area's hours."""

    area: WorkingCalendar = MASH_CALENDAR
    agencies: Mapping[str, WorkingCalendar] = field(default_factory=lambda: MappingProxyType({}))
    allowances: Allowances = DEFAULT_ALLOWANCES
    agency_allowances: Mapping[str, Allowances] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, agency: str) -> WorkingCalendar:
        """Give the calendar by which `agency` is alerted."""
        return self.agencies.get(agency, self.area)

    def allowances_of(self, agency: str) -> Allowances:
        """Give the service levels agreed with `agency`."""
        return self.agency_allowances.get(agency, self.allowances)

    def uncovered(self, year: int) -> tuple[str, ...]:
        """Name the calendars that do not know `year`: `area` and participant ids. Any name here is an alert."""
        missing = [agency for agency, calendar in sorted(self.agencies.items()) if not calendar.covers(year)]
        return (*(() if self.area.covers(year) else ("area",)), *missing)


def read_calendars(plain: Mapping[str, Any]) -> Calendars:
    """Read the settings as TOML gives them. Raises `pydantic.ValidationError` for anything that is not understood."""
    settings = AreaSettings.model_validate(plain)
    area = _merged(DEFAULT_ALLOWANCES, settings.area.allowances)
    offices = settings.agencies.items()
    return Calendars(
        area=_calendar(settings.area),
        agencies=MappingProxyType({agency: _calendar(office) for agency, office in offices}),
        allowances=area,
        agency_allowances=MappingProxyType({agency: _merged(area, office.allowances) for agency, office in offices}),
    )


def _calendar(office: OfficeSettings) -> WorkingCalendar:
    week = PATTERNS[office.pattern]
    calendar = WorkingCalendar(
        week=tuple(office.week.get(name, hours) for name, hours in zip(WEEKDAYS, week, strict=True)),
        closures=tuple(Span(span.first, span.last) for span in office.closures),
        terms=None if office.terms is None else tuple(Span(span.first, span.last) for span in office.terms),
    )
    return calendar if office.keeps_bank_holidays else replace(calendar, bank_holidays=frozenset(), known_years=None)


def _merged(existing: Allowances, settings: AllowanceSettings) -> Allowances:
    """Put the allowances that are set into the existing ones, and leave the others."""
    changed: dict[str, Any] = {}
    for name, value in _said(settings).items():
        rated = isinstance(value, ByRatingSettings)
        changed[name] = replace(getattr(existing, name), **_said(value)) if rated else value
    return replace(existing, **changed)


def _said(settings: BaseModel) -> dict[str, Any]:
    """Give what the settings say, as they hold it: `model_dump` would take the allowances apart."""
    return {name: value for name, value in settings if value is not None}
