"""Times as people say them: local to London, with the time left in words.

Pure. A minute is the finest grain: what is shown changes once a minute, and 59 seconds are "less than a minute".
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from broker.calendar import LONDON

_MINUTE: Final = timedelta(minutes=1)
_DAY_MINUTES: Final = 1440


def span(length: timedelta) -> str:
    """Say a length in its two coarsest units: `2 hours 5 minutes`; the sign is the caller's to say."""
    minutes = int(abs(length) / _MINUTE)
    if minutes == 0:
        return "less than a minute"
    days, rest = divmod(minutes, _DAY_MINUTES)
    hours, left = divmod(rest, 60)
    parts = [_many(days, "day"), _many(hours, "hour"), _many(left if not days else 0, "minute")]
    return " ".join(part for part in parts if part)


def to_breach(due_at: datetime, now: datetime) -> str:
    """Say how long is left, or how long it has been overdue."""
    left = due_at - now
    return f"{span(left)} overdue" if left <= timedelta(0) else f"{span(left)} left"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was."""
    return f"{span(now - moment)} ago"


def ahead(moment: datetime, now: datetime) -> str:
    """Say how far away something is, or how long it is past."""
    return ago(moment, now) if moment <= now else f"in {span(moment - now)}"


def clock(moment: datetime) -> str:
    """Give the local time of day; in the hour that comes twice in October it says which of the two."""
    local = moment.astimezone(LONDON)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M}" + (f" {local.tzname()}" if twice else "")


def local(moment: datetime, now: datetime) -> str:
    """Give a local moment: `today 14:12`, `tomorrow 09:00`, `Mon 30 Nov 15:40`, with the year when it is another."""
    there, here = moment.astimezone(LONDON), now.astimezone(LONDON)
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((there.date() - here.date()).days)
    return f"{near or day(there.date(), here.date())} {clock(moment)}"


def local_day_or_moment(moment: datetime, now: datetime) -> str:
    """Give a local moment, or the day alone where the moment is the start of one."""
    said = local(moment, now)
    return said.removesuffix(" 00:00")


def day(that: date, today: date) -> str:
    """Give a day: `Mon 30 Nov`, with the year when it is another."""
    return f"{that:%a} {that.day} {that:%b}" + (f" {that.year}" if that.year != today.year else "")


def stamp(moment: datetime) -> str:
    """Give a moment for a `time` element: ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def count(number: int, thing: str, many: str = "") -> str:
    """Say how many: `1 request`, `2 requests`, `no request`."""
    return _many(number, thing, many) or f"no {thing}"


def _many(number: int, thing: str, many: str = "") -> str:
    if not number:
        return ""
    return f"1 {thing}" if number == 1 else f"{number:,} {many or thing + 's'}"
