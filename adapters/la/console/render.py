"""The collation on a terminal, for a coordinator who has to see at once who owes what and what must be read first.

Wordings are shown whole at any width: nothing is cut, markup that a partner wrote is text, and colour only repeats
what the words say already. Every view is first cut down to its reader by `handover.on_screen`.
"""

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adapters.la.console import phrases, render_items
from adapters.la.console.collation import Collation, Row, Status
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.legible import moment
from adapters.la.console.render_items import heading, text
from adapters.la.console.wording import DECISIONS, ORIGINATORS, in_words, listed

_RAG_STYLES: Mapping[str, str] = {
    "RED": "bold white on red",
    "AMBER": "bold black on yellow",
    "GREEN": "bold white on green",
    "BLUE": "bold white on blue",
}


def render_collation(collation: Collation) -> RenderableType:
    """Give the whole view for the collation's reader."""
    return Group(*[Padding(block, (0, 0, 1, 0)) for block in _blocks(collation, collation.persons)])


def _blocks(collation: Collation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    yield headline(collation)
    yield from render_items.urgent(collation, names)
    yield Group(heading("Who answered"), who_answered(collation))
    yield from render_items.levels(collation)
    yield from render_items.items(collation, names)
    yield from render_items.held_back(collation)
    owed = [text(line, style="red" if overdue else "") for overdue, line in phrases.still_owed(collation)]
    yield Group(heading("Still owed"), *(owed or [Text("Nothing: everybody asked has answered.")]))
    if collation.not_contacted:
        yield Group(heading("Not contacted, and why"), *_not_contacted(collation))
    yield Group(heading("In figures"), text(phrases.counters(collation.counters)))


def headline(collation: Collation) -> RenderableType:
    """Say which enquiry, how it is rated, when this was seen, and what has been decided."""
    rag = collation.rag or "not rated"
    first = Text.assemble(
        text(collation.enquiry, style="bold"),
        "   ",
        text(rag, style=_RAG_STYLES.get(rag, "")),
        f"   seen {moment(collation.as_at)}",
    )
    return Group(first, *map(text, phrases.decision(collation.decided, collation.rows, now=collation.as_at)))


def who_answered(collation: Collation) -> RenderableType:
    """One line an agency: its answer, its level of need, who it thinks best placed, and what came."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, leading=1)
    for title, ratio in (("Agency", 5), ("Answer", 6), ("Need", 2), ("Best placed", 4), ("What came", 6)):
        table.add_column(title, overflow="fold", ratio=ratio, min_width=4)
    for row in collation.rows:
        table.add_row(
            text(row.name, style="bold"),
            text("\n".join(phrases.answer(row, now=collation.as_at)), style=_style(row)),
            text(row.level_of_need or "–"),
            text(row.best_placed or "–"),
            text("\n".join(phrases.came(row, collation.persons)) or "–"),
        )
    return table


def _style(row: Row) -> str:
    if row.overdue or row.late:
        return "red"
    return "green" if row.status is Status.ANSWERED else "yellow"


def _not_contacted(collation: Collation) -> Iterator[Text]:
    for kind, reason in collation.not_contacted.items():
        yield Text.assemble(text(in_words(ORIGINATORS, kind), style="bold"), ": ", text(reason))


def issued_lines(enquiry: Enquiry) -> str:
    """Say to whom an enquiry went, until when each answer is due, and which telephone calls are to be made."""
    lines = [f"{enquiry.reference} is rated {enquiry.rag or 'not at all'}."]
    lines += [
        f"  {one.participant}: due {moment(one.due_at)}{', urgent' if one.urgent else ''}"
        for one in enquiry.issued
        if one.cancelled is None
    ]
    to_ring = sorted({prompt.participant for prompt in enquiry.prompts if prompt.made_at is None})
    if to_ring:
        lines.append(f"Ring as well, and record it: {listed(to_ring)}.")
    lines += [f"Note: {one}" for one in enquiry.warned]
    return "\n".join(lines)


def cancelled_line(enquiry: Enquiry, participant: str) -> str:
    """Say whether the last cancelled request to a participant was taken back unseen, or whether they are told."""
    stopped = [one.cancelled for one in enquiry.issued if one.participant == participant and one.cancelled]
    if stopped and stopped[-1].recalled:
        return f"The request to {participant} was taken back before it left; nobody there has seen it."
    return f"{participant} is told to stop; the request owes nothing any more."


def decided_lines(enquiry: Enquiry) -> str:
    """Say what was decided, what had not been seen, and until when referrer and partners have to hear."""
    decided = enquiry.decided
    if decided is None:
        return f"{enquiry.reference} is not decided."
    lines = [f"{enquiry.reference}: {in_words(DECISIONS, decided.outcome)}, level of need {decided.level_of_need}."]
    if decided.not_seen:
        lines.append(f"Decided without an answer from {listed(decided.not_seen)}.")
    lines.append(f"Tell the referrer by {moment(decided.referrer_due_at)}.")
    lines.append(f"The agencies have to hear by {moment(decided.partners_due_at)}.")
    lines += [f"Note: {one}" for one in decided.warned]
    return "\n".join(lines)
