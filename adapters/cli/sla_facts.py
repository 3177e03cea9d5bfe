"""What `mash sla` says: due time, urgency and warnings, computed by the very functions of requester and hub.

A time without an offset is a wall clock in London; one that the spring night skips is refused as wrong usage.
"""

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer
from pydantic import ValidationError

from broker.calendar import LONDON, WorkingCalendar
from broker.calendars import Calendars, read_calendars
from broker.sla import NobodyAskedError, human_ack_due, is_urgent, phone_call_due, response_due
from schemas.agency import is_participant_id
from schemas.rating import RagRating

READABLE_YEARS: Final = range(2000, 2100)


def say_due(*, rag: str, issued: str, agency: str, calendars: Path | None, as_json: bool) -> None:
    """Print when the answer to a request is due. Raises `typer.BadParameter`."""
    area, rating, issued_at = _calendars(calendars), _rating(rag), _moment(issued)
    _refuse_unfit(agency)
    facts = _due_facts(rating, issued_at, agency=agency, calendars=area)
    if as_json:
        typer.echo(json.dumps({"schema": "mash.sla.due.v1", **facts}, indent=2))
        return
    typer.echo(f"{rating.value} issued {_shown(facts['issued'])} is due {_shown(facts['due'])}")
    typer.echo(f"{facts['working_hours']:g} h of office time: {'URGENT' if facts['urgent'] else 'not urgent'}")
    if facts["urgent"]:
        typer.echo(f"telephone too, by {_shown(facts['phone_call_due'])}")
    for warning in facts["warnings"]:
        typer.echo(f"warning: {warning}", err=True)


def say_urgent(*, issued: str, due: str, rag: str, agency: str, calendars: Path | None, as_json: bool) -> None:
    """Print whether a request is urgent. Raises `typer.BadParameter`."""
    area, issued_at = _calendars(calendars), _moment(issued)
    _refuse_unfit(agency)
    allowances = area.allowances_of(agency)
    if bool(due) == bool(rag):
        raise typer.BadParameter("say either --due or --rag")
    due_at = _moment(due) if due else _response_due(_rating(rag), issued_at, agency=agency, calendars=area)
    if due_at < issued_at:
        raise typer.BadParameter("an answer is not due before it is asked for")
    hours = _office_hours(issued_at, due_at, area.area)
    answer = is_urgent(issued_at, due_at, calendar=area.area, allowances=allowances)
    if as_json:
        facts = {"issued": _local(issued_at), "due": _local(due_at), "urgent": answer, "working_hours": hours}
        typer.echo(json.dumps({"schema": "mash.sla.urgent.v1", **facts}, indent=2))
        return
    typer.echo(f"{'URGENT' if answer else 'not urgent'}: {hours:g} h of office time until {_shown(_local(due_at))}")


def _due_facts(rating: RagRating, issued_at: datetime, *, agency: str, calendars: Calendars) -> dict[str, Any]:
    due_at = _response_due(rating, issued_at, agency=agency, calendars=calendars)
    area, allowances = calendars.area, calendars.allowances_of(agency)
    is_it = is_urgent(issued_at, due_at, calendar=area, allowances=allowances)
    call = phone_call_due(rating, issued_at, calendar=area, allowances=allowances) if is_it else None
    ack = human_ack_due(rating, issued_at, calendar=area, allowances=allowances)
    facts: dict[str, Any] = {
        "rag": rating.value,
        "issued": _local(issued_at),
        "due": _local(due_at),
        "urgent": is_it,
        "working_hours": _office_hours(issued_at, due_at, area),
        "phone_call_due": _local(call) if call else None,
        "human_ack_due": _local(ack),
        "warnings": _warnings(issued_at, due_at, agency=agency, calendars=calendars),
    }
    if agency:
        facts |= {"agency": agency, "agency_opens": _local(calendars.of(agency).next_working_moment(issued_at))}
    return facts


def _warnings(issued_at: datetime, due_at: datetime, *, agency: str, calendars: Calendars) -> list[str]:
    years = sorted({moment.astimezone(LONDON).year for moment in (issued_at, due_at)})
    said = [f"the calendar does not know the holidays of {year}" for year in years if not calendars.area.covers(year)]
    if agency and agency not in calendars.agencies:
        said.append("the agency has no calendar of its own: the area's hours are taken")
    if agency and calendars.of(agency).next_working_moment(issued_at) >= due_at:
        said.append("the agency does not open before the answer is due: use its out-of-hours route")
    return said


def _response_due(rating: RagRating, issued_at: datetime, *, agency: str, calendars: Calendars) -> datetime:
    try:
        return response_due(rating, issued_at, calendar=calendars.area, allowances=calendars.allowances_of(agency))
    except NobodyAskedError as error:
        raise typer.BadParameter(str(type(error).__doc__)) from None


def _calendars(path: Path | None) -> Calendars:
    if path is None:
        return Calendars()
    try:
        plain: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return read_calendars(plain)
    except OSError:
        raise typer.BadParameter("the calendar settings cannot be read") from None
    except tomllib.TOMLDecodeError:
        raise typer.BadParameter("the calendar settings are not TOML") from None
    except ValidationError as error:
        places = ", ".join(".".join(map(str, wrong["loc"])) for wrong in error.errors(include_input=False))
        raise typer.BadParameter(f"the calendar settings are not understood at: {places}") from None


def _refuse_unfit(agency: str) -> None:
    if agency and not is_participant_id(agency):
        raise typer.BadParameter("that is no participant id, like testford-police")


def _rating(text: str) -> RagRating:
    try:
        return RagRating(text.upper())
    except ValueError:
        raise typer.BadParameter("a rating is red, amber, green or blue") from None


def _moment(text: str) -> datetime:
    """Read ISO 8601; a wall clock that comes twice in the autumn night is the first of the two."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time reads like 2026-11-27T15:40") from None
    if len(text) <= len("2026-11-27") or moment.year not in READABLE_YEARS:
        raise typer.BadParameter("a time has a date of this century and a clock time, like 2026-11-27T15:40")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    there = moment.replace(tzinfo=LONDON).astimezone(UTC)
    if there.astimezone(LONDON).replace(tzinfo=None) != moment:
        raise typer.BadParameter("the clocks go forward over that time: it does not exist")
    return there


def _office_hours(start: datetime, end: datetime, calendar: WorkingCalendar) -> float:
    return round(calendar.working_time_between(start, end).total_seconds() / 3600, 4)


def _local(moment: datetime) -> str:
    return moment.astimezone(LONDON).isoformat()


def _shown(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%a %d %b %Y %H:%M")
