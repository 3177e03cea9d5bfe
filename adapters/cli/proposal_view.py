"""A proposal as the practitioner reads it: record by record, what would leave, why, for whom, who has to approve."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from adapters.cli.paragraphs import indented
from adapters.kit.desk.answer import Judged
from adapters.kit.desk.proposal import Proposal
from adapters.la.console.legible import on_screen
from adapters.la.console.wording import CONDITIONS, REASONS, TRACES, in_words, who_may_receive
from schemas.content.codes import Outcome
from schemas.content.response import Response

_WHAT = {
    Outcome.SHARE: "leaves as it stands",
    Outcome.SUMMARISE: "leaves in the prepared wording, not in the text",
    Outcome.INDICATE_ONLY: "only indicated: that something is held, and whom to ring",
    Outcome.REFER_TO_ORIGINATOR: "not ours to give: the answer names whom to ask",
    Outcome.WITHHOLD: "withheld; the answer says that something is, and on which ground",
    Outcome.WITHHOLD_SILENT: "withheld without a trace in the answer",
}


def proposal_text(proposal: Proposal) -> Group:
    """Give what was found, what the rules say of it, and what still stands in the way of sending."""
    file = proposal.file
    found = f"{file.rfi.rfi}: {len(proposal.judged)} records found."
    lines: list[RenderableType] = [Text(found, style="bold")]
    lines += [indented(f"{key}: {in_words(TRACES, trace)}") for key, trace in file.traces.items()]
    for one in proposal.judged:
        lines += _record(one, rfi=file.rfi.rfi or "")
    lines += [Text(f"Could not be read: {on_screen(gap)}", style="bold") for gap in file.unread]
    lines += [Text(f"The request lacks: {on_screen(gap)}") for gap in proposal.incomplete]
    lines += [Text(f"Note: {on_screen(warning)}") for warning in proposal.warnings]
    lines.append(Text())
    lines += list(_next(proposal))
    return Group(*lines)


def _record(one: Judged, *, rfi: str) -> Iterator[RenderableType]:
    record, decision = one.candidate.record, one.decision
    yield Text()
    sent = f" (answered in part {one.candidate.sent_in_part})" if one.candidate.sent_in_part else ""
    yield Text(f"{one.candidate.key}{sent}: {_WHAT[one.outcome]}", style="bold")
    yield indented(f"{on_screen(record.text)}")
    if record.summary and one.outcome is not Outcome.SHARE:
        yield indented(f"prepared wording: {on_screen(record.summary)}")
    reasons = one.withheld_on if one.outcome is Outcome.WITHHOLD else decision.reasons
    said = [in_words(REASONS, str(reason)) for reason in reasons if reason != "NEEDS_APPROVER"]
    if said:
        yield indented(f"why: {'; '.join(dict.fromkeys(said))}")
    if one.outcome in (Outcome.SHARE, Outcome.SUMMARISE):
        yield indented(f"may go on to: {who_may_receive(tuple(map(str, decision.onward)))}")
    if _sealed(one):
        yield indented("sealed for the decision maker alone")
    for condition in decision.conditions:
        yield indented(f"with it: {in_words(CONDITIONS, str(condition))}")
    if one.candidate.sent_in_part is None:
        yield from (_to_do(one, role, rfi=rfi) for role in sorted(one.approvals_needed))


def _sealed(one: Judged) -> bool:
    leaves = one.outcome in (Outcome.SHARE, Outcome.SUMMARISE)
    return (leaves and one.for_decision_maker_alone) or (
        one.outcome is Outcome.INDICATE_ONLY and bool(one.decision.sealed_for)
    )


def _to_do(one: Judged, role: str, *, rfi: str) -> RenderableType:
    if role == "summary_author":
        return indented(f"to do: mash respond summarise {rfi} {one.candidate.key} --wording '...'")
    return indented(f"to do: mash respond approve {rfi} {one.candidate.key} --role {role}")


def _next(proposal: Proposal) -> Iterator[RenderableType]:
    rfi = proposal.file.rfi.rfi
    if not proposal.objections:
        yield Text(f"It can be sent: mash respond send {rfi}", style="bold")
        return
    yield Text("Before it can be sent:", style="bold")
    yield from (indented(f"{reason}") for reason in proposal.objections)


def proposal_plain(proposal: Proposal) -> dict[str, Any]:
    """Give a proposal as plain values."""
    return {
        "rfi": proposal.file.rfi.rfi,
        "traces": {key: trace.value for key, trace in proposal.file.traces.items()},
        "unread": list(proposal.file.unread),
        "records": [_judged_plain(one) for one in proposal.judged],
        "objections": list(proposal.objections),
        "warnings": list(proposal.warnings),
        "gaps": list(proposal.incomplete),
    }


def _judged_plain(one: Judged) -> dict[str, Any]:
    return {
        "record": one.candidate.key,
        "item": one.candidate.item,
        "outcome": one.outcome.value,
        "reasons": list(one.withheld_on if one.outcome is Outcome.WITHHOLD else map(str, one.decision.reasons)),
        "approvals_needed": sorted(one.approvals_needed),
        "onward": list(map(str, one.decision.onward)),
        "conditions": list(map(str, one.decision.conditions)),
        "sent_in_part": one.candidate.sent_in_part,
    }


def sent_text(response: Response) -> str:
    """Say what left, and what it left open."""
    counted = {
        "given": len(response.items),
        "given to the decision maker alone": response.for_decision_maker,
        "only indicated": len(response.indicators),
        "referred to whom they belong to": len(response.referrals),
        "withheld": len(response.refusals),
    }
    parts = [f"{number} {what}" for what, number in counted.items() if number]
    nil = f"a nil return, {response.nil.value.replace('_', ' ')}" if response.nil else "nothing given"
    owed = ", ".join(one.source for one in response.outstanding)
    return f"Answer {response.part} to {response.rfi} is on its way: {', '.join(parts) or nil}." + (
        f" Still owed: {owed}." if owed else ""
    )
