"""What a practitioner sees of requests and proposals, as text, tables and plain values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.kit.answer import Judged
from adapters.kit.desk.practitioner import Proposal
from adapters.kit.request_file import RequestFile
from broker.calendar import LONDON
from schemas.content.response import Response


def moment(at: datetime | None) -> str:
    """Give a time as a person in England reads it, or a dash."""
    return at.astimezone(LONDON).strftime("%a %d %b %H:%M") if at else "-"


def inbox_entries(files: Sequence[RequestFile]) -> list[dict[str, Any]]:
    """Give the list of requests as plain values: references, times and states, nothing about a person."""
    ordered = sorted(files, key=lambda file: (file.state == "answered", file.rfi.response_due_at or file.received_at))
    return [
        {
            "rfi": file.rfi.rfi,
            "from": file.sender,
            "rag": file.rfi.rag,
            "urgent": file.rfi.urgent,
            "state": file.state,
            "received_at": file.received_at,
            "due_at": file.rfi.response_due_at,
            "seen_at": file.seen_at,
        }
        for file in ordered
    ]


def inbox_table(files: Sequence[RequestFile]) -> Table | str:
    """Give the list of requests as a table, the one due soonest first."""
    if not files:
        return "Nothing has been asked."
    table = Table("request", "from", "rating", "state", "due", "seen", box=None, header_style="bold")
    for entry in inbox_entries(files):
        urgent = " URGENT" if entry["urgent"] else ""
        table.add_row(
            entry["rfi"],
            entry["from"],
            f"{entry['rag']}{urgent}",
            entry["state"],
            moment(entry["due_at"]),
            moment(entry["seen_at"]),
        )
    return table


def request_text(file: RequestFile) -> Group:
    """Give one request as a person reads it: who asks, about whom, why, and what."""
    rfi = file.rfi
    persons = Table("key", "name", "born", "who", "address", box=None, header_style="bold")
    for key, person in rfi.persons.items():
        born = str(person.dob or (person.edd and f"due {person.edd}") or person.estimated_age or "-")
        persons.add_row(key, person.name, born, person.relationship, person.address or "-")
    questions = [f"  {code}: {rfi.questions[code].text}" for code in rfi.recipient.questions if code in rfi.questions]
    head = (
        f"{rfi.rfi} of enquiry {rfi.enquiry}: {rfi.rag}{', URGENT' if rfi.urgent else ''}, "
        f"answer by {moment(rfi.response_due_at)}"
    )
    asker = rfi.requester
    return Group(
        Text(head, style="bold"),
        Text(f"Asked by {asker.name} ({asker.role}), {asker.organisation}; questions: {asker.call_back}"),
        Text(f"Stage: {rfi.stage}. Reason: {rfi.reason}"),
        Text(f"Why you: {rfi.recipient.rationale}"),
        persons,
        Text("Asked:\n" + "\n".join(questions)),
        Text(f"State: {file.state}; parts sent: {file.parts_sent}"),
    )


def proposal_text(proposal: Proposal) -> Group:
    """Give what was found, what the rules say of it, and what still stands in the way of sending."""
    file = proposal.file
    table = Table("record", "rules say", "why", "still needs", "text", header_style="bold", show_lines=True)
    for one in proposal.judged:
        table.add_row(
            one.candidate.key,
            one.outcome.value.replace("_", " "),
            ", ".join(one.withheld_on or tuple(map(str, one.decision.reasons))),
            ", ".join(sorted(one.decision.approvals_needed)) or "nobody",
            one.candidate.record.text,
        )
    traces = ", ".join(f"{key}: {trace.value.replace('_', ' ')}" for key, trace in file.traces.items())
    lines: list[RenderableType] = [Text(f"{file.rfi.rfi}: {len(proposal.judged)} records found. {traces}"), table]
    lines += [Text(f"Could not be read: {gap}", style="bold") for gap in file.unread]
    lines += [Text(f"Note: {warning}") for warning in proposal.warnings]
    if proposal.objections:
        lines.append(Text("Before it can be sent:\n" + "\n".join(f"  {reason}" for reason in proposal.objections)))
    else:
        lines.append(Text(f"It can be sent: mash respond send {file.rfi.rfi}"))
    return Group(*lines)


def proposal_plain(proposal: Proposal) -> dict[str, Any]:
    """Give a proposal as plain values."""
    return {
        "rfi": proposal.file.rfi.rfi,
        "traces": {key: trace.value for key, trace in proposal.file.traces.items()},
        "unread": list(proposal.file.unread),
        "records": [_judged_plain(one) for one in proposal.judged],
        "objections": list(proposal.objections),
        "warnings": list(proposal.warnings),
    }


def _judged_plain(one: Judged) -> dict[str, Any]:
    return {
        "record": one.candidate.key,
        "item": one.candidate.item,
        "outcome": one.outcome.value,
        "reasons": list(one.withheld_on or map(str, one.decision.reasons)),
        "approvals_needed": sorted(one.decision.approvals_needed),
        "onward": list(map(str, one.decision.onward)),
        "conditions": list(map(str, one.decision.conditions)),
        "sent_in_part": one.candidate.sent_in_part,
    }


def sent_text(response: Response) -> str:
    """Say in one line what left."""
    parts = [
        f"{len(response.items)} items",
        f"{response.for_decision_maker} for the decision maker alone",
        f"{len(response.indicators)} indicated",
        f"{len(response.referrals)} referred",
        f"{len(response.refusals)} withheld",
    ]
    owed = ", ".join(one.source for one in response.outstanding)
    return f"Answer {response.part} to {response.rfi} is on its way: {', '.join(parts)}." + (
        f" Still owed: {owed}." if owed else ""
    )
