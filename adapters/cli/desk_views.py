"""Lists of requests and enquiries, and one request, as a person reads them; and the same as plain values."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.cli.paragraphs import indented
from adapters.kit.desk.request_file import RequestFile
from adapters.la.console.legible import on_screen
from adapters.la.console.standing import Standing
from broker.calendar import LONDON
from schemas.content.person import Person
from schemas.content.rfi import RequestForInformation

_AT_REST = ("answered", "cancelled")


def moment(at: datetime | None) -> str:
    """Give a time as a person in England reads it, or a dash."""
    return at.astimezone(LONDON).strftime("%a %d %b %H:%M") if at else "-"


def inbox_entries(files: Sequence[RequestFile]) -> list[dict[str, Any]]:
    """Give the list of requests as plain values: references, times and states, nothing about a person."""
    ordered = sorted(files, key=lambda file: (file.state in _AT_REST, file.rfi.response_due_at or file.received_at))
    return [
        {
            "rfi": file.rfi.rfi,
            "from": file.sender,
            "rag": file.rfi.rag,
            "urgent": file.rfi.urgent,
            "state": file.state,
            "received_at": file.received_at,
            "due_at": None if file.state == "cancelled" else file.rfi.response_due_at,
            "seen_at": file.seen_at,
        }
        for file in ordered
    ]


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column in ("request", "enquiry", "due", "next due"), overflow="fold")
    return table


def inbox_table(files: Sequence[RequestFile]) -> Table | str:
    """Give the list of requests as a table, the one due soonest first."""
    if not files:
        return "Nothing has been asked."
    table = _table("request", "due", "rating", "state", "seen", "from")
    for entry in inbox_entries(files):
        rating = f"{entry['rag']}{', URGENT' if entry['urgent'] else ''}"
        seen = moment(entry["seen_at"]) if entry["seen_at"] else "not yet"
        table.add_row(entry["rfi"], moment(entry["due_at"]), rating, entry["state"], seen, entry["from"])
    return table


def enquiry_entries(lines: Sequence[Standing]) -> list[dict[str, Any]]:
    """Give the list of enquiries as plain values."""
    return [line.model_dump(mode="json") for line in lines]


def enquiries_table(lines: Sequence[Standing]) -> Table | str:
    """Give the list of enquiries as a table, what is due soonest first."""
    if not lines:
        return "No enquiry has been opened."
    table = _table("enquiry", "rating", "next due", "who still owes an answer", "calls", "decided")
    for line in lines:
        owing = ", ".join(line.owing) or ("nobody" if line.asked else "nobody has been asked")
        calls = str(line.calls_to_make or "-")
        decided = "yes" if line.decided else "no"
        table.add_row(line.enquiry, line.rag or "none", moment(line.next_due_at), owing, calls, decided)
    return table


def request_text(file: RequestFile) -> Group:
    """Give one request as a person reads it: who asks, about whom, why, and what."""
    rfi, asker = file.rfi, file.rfi.requester
    urgent = ", URGENT" if rfi.urgent else ""
    head = f"{rfi.rfi} of enquiry {rfi.enquiry}: {rfi.rag}{urgent}, answer by {moment(rfi.response_due_at)}"
    return Group(
        Text(head, style="bold"),
        Text(_shown(f"Asked by {asker.name}, {asker.organisation}. Questions: ring {asker.call_back}.")),
        Text(_shown(f"Stage: {rfi.stage}. Reason: {rfi.reason}")),
        Text(_shown(f"Why you: {rfi.recipient.rationale}")),
        Text(),
        *_persons(rfi),
        Text(),
        Text("Agreement to share", style="bold"),
        *_consent(rfi),
        Text(),
        Text("Asked", style="bold"),
        *(indented(f"{_shown(rfi.questions[code].text)}") for code in rfi.recipient.questions if code in rfi.questions),
        Text(),
        *_onward(file),
        *_cancelled(file),
        Text(f"State: {file.state}; parts sent: {file.parts_sent}.{_next_step(file)}"),
    )


def _cancelled(file: RequestFile) -> Iterator[Text]:
    if file.cancellation is not None:
        when, why = moment(file.cancellation.cancelled_at), _shown(file.cancellation.reason)
        yield Text(f"CANCELLED by whoever asked, {when}: {why}. Stop working on it; nothing more is owed.")
        if asked := [one.source for one in file.outstanding()]:
            yield Text(_shown(f"Tell those that you have asked in turn: {', '.join(asked)}."))


def _next_step(file: RequestFile) -> str:
    return "" if file.state in _AT_REST else f" Next: mash respond propose {file.rfi.rfi}"


def _shown(text: str) -> str:
    return on_screen(text)


def _persons(rfi: RequestForInformation) -> Iterator[RenderableType]:
    yield Text("About", style="bold")
    ordered = sorted(rfi.persons.items(), key=lambda entry: (entry[1].role != "subject_child", not entry[1].is_child))
    for key, person in ordered:
        yield indented(f"{key}: {_shown(_person(person))}")


def _person(person: Person) -> str:
    born = (
        person.dob
        or (person.edd and f"expected {person.edd}")
        or (f"about {person.estimated_age} years" if person.estimated_age is not None else None)
    )
    facts = [
        person.name,
        person.relationship,
        f"born {person.dob}" if person.dob else str(born) if born else None,
        "deceased" if person.life_status == "deceased" else None,
        "alleged victim" if person.alleged_victim else None,
        "alleged perpetrator" if person.alleged_perpetrator else None,
        person.address,
        *(f"{name.replace('_', ' ')} {value}" for name, value in person.identifiers.items()),
        *(f"also called {alias}" for alias in person.aliases),
    ]
    return "; ".join(str(fact) for fact in facts if fact)


def _consent(rfi: RequestForInformation) -> Iterator[RenderableType]:
    for name in ("children", "parents", "other_contacts"):
        group = getattr(rfi.consent, name)
        why = f": {group.explanation}" if group.explanation else ""
        yield indented(f"{name.replace('_', ' ')}: {_shown((group.status or 'not said').replace('_', ' ') + why)}")
    if rfi.consent.override is not None:
        yield indented(f"the manager went on without it: {_shown(rfi.consent.override.rationale or 'no reason given')}")


def _onward(file: RequestFile) -> Iterator[RenderableType]:
    for one in file.onward:
        if one.answered_at is None:
            asked = f"{one.question}: may {one.audience.replace('_', ' ')} have {one.item}? {one.reason}"
            yield Text(f"Asked about an item that you sent: {_shown(asked)}")
