"""Dates and times as they are typed at the command line; a wrong one is wrong usage (exit code 2).

What was typed is not repeated: it may be somebody's date of birth.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import typer


def date_given(text: str | None, *, option: str) -> date | None:
    """Read a date like 2017-03-14."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter("write the date like 2017-03-14", param_hint=option) from None


def moment_given(text: str | None, *, option: str) -> datetime | None:
    """Read a time like 2026-11-25T10:12; without a zone it is the time in England."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the time like 2026-11-25T10:12", param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Europe/London"))
