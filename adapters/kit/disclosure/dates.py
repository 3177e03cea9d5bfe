"""Days as the rules count them: the day of the request in London, whole years of age, months back (§3.7, §6.17, §6.20).

Pure: no clock is read here.
"""

import calendar
from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def london_day(moment: datetime) -> date:
    """Give the calendar day in London of an aware moment. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no day")
    return moment.astimezone(LONDON).date()


def months_before(day: date, months: int) -> date:
    """Give the day `months` before `day`; where that month is shorter, its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def age_on(day: date, *, born: date) -> int:
    """Give whole years of age; who is born on 29 February has the birthday on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
