"""The collation on a terminal, for a coordinator who has to see at once who owes what and what must be read first.

Wordings are shown whole at any width: nothing is cut, markup that a partner wrote is text, and colour only repeats
what the words say already. Every view is first cut down to its reader by `handover.on_screen`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from adapters.la.console import render_items
from adapters.la.console.collation import Collation, Row, Status
from adapters.la.console.enquiry import Decided, Enquiry
from adapters.la.console.figures import Counters
from adapters.la.console.legible import moment, on_screen
from adapters.la.console.wording import DECISIONS, NILS, ORIGINATORS, STATUSES, TRACES, in_words, listed, source_name
from schemas.content.response import TraceStatus

NAMES: Mapping[str, str] = {}


def render_collation(collation: Collation, *, names: Mapping[str, str] = NAMES) -> RenderableType:
    """Give the whole view for the collation's reader; `names` maps keys of persons to what they are called."""
    return Group(*_spaced(_blocks(collation, names)))


def _blocks(collation: Collation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    yield headline(collation)
    yield from render_items.urgent(collation, names)
    yield _titled("Who answered", who_answered(collation, names))
    yield from render_items.levels(collation)
    yield from render_items.items(collation, names)
    yield from render_items.held_back(collation)
    owed = still_owed(collation)
    yield _titled("Still owed", Group(*owed) if owed else Text("Nothing: everybody asked has answered."))
    if collation.not_contacted:
        yield _titled("Not contacted, and why", Group(*_not_contacted(collation)))
    yield _titled("In figures", counters(collation.counters))


def headline(collation: Collation) -> RenderableType:
    """Say which enquiry, how it is rated, when this was seen, and what has been decided."""
    rag = collation.rag or "not rated"
    first = Text.assemble(
        (collation.enquiry, "bold"), "   ", (rag, _RAG_STYLES.get(rag, "")), f"   seen {moment(collation.as_at)}"
    )
    called = {row.participant: on_screen(row.name) for row in collation.rows}
    return Group(first, *_decision(collation.decided, called, now=collation.as_at))


def _decision(decided: Decided | None, called: Mapping[str, str], *, now: datetime) -> Iterator[Text]:
    if decided is None:
        yield Text("Not decided yet. The decision is the decision maker's; nothing here proposes one.")
        return
    outcome = in_words(DECISIONS, decided.outcome)
    yield Text(
        f"Decided {moment(decided.at, near=now)} by {on_screen(decided.by)}: {outcome}, "
        f"level of need {decided.level_of_need}.",
        style="bold",
    )
    yield Text(f"Why: {on_screen(decided.rationale)}")
    yield Text(f"Next: {on_screen(decided.next_step)}")
    if decided.not_seen:
        missing = listed([called.get(one, one) for one in decided.not_seen])
        yield Text(f"Decided without an answer from {missing}.", style="yellow")


def who_answered(collation: Collation, names: Mapping[str, str] = NAMES) -> RenderableType:
    """One line an agency: its answer, its level of need, who it thinks best placed, and what came."""
    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False, show_edge=False, leading=1)
    for heading, ratio in (("Agency", 5), ("Answer", 6), ("Need", 2), ("Best placed", 4), ("What came", 6)):
        table.add_column(heading, overflow="fold", ratio=ratio, min_width=4)
    for row in collation.rows:
        table.add_row(
            Text(on_screen(row.name), style="bold"),
            _answer(row, collation.as_at),
            Text(row.level_of_need or "–"),
            Text(on_screen(row.best_placed) if row.best_placed else "–"),
            Text("\n".join(_came(row, names)) or "–"),
        )
    return table


def _answer(row: Row, now: datetime) -> Text:
    """Say in words where one request stands; "no reply" is said, and never looks like a nil."""
    due = moment(row.due_at, near=now)
    if row.answered_at is not None:
        return _given(row, moment(row.answered_at, near=now), now)
    state = in_words(STATUSES, row.status)
    if row.overdue:
        return Text(f"OVERDUE since\n{due}\n{state}", style="bold red")
    return Text(f"owed until\n{due}\n{state}", style="yellow")


def _given(row: Row, at: str, now: datetime) -> Text:
    words = ["answered LATE" if row.late else "answered", at]
    style = "red" if row.late else "green"
    if row.status is Status.PARTIAL:
        owed = [f"{on_screen(source_name(source))} {_owed(until, now)}" for source, until in row.owed_until.items()]
        words = ["partly answered" + (", LATE" if row.late else ""), at, *owed]
        style = "yellow"
    words += ["by telephone"] if row.by_phone else []
    words += [f"with {_count(row.supplements, 'supplement')}"] if row.supplements else []
    return Text("\n".join(words), style=style)


def _owed(until: datetime, now: datetime) -> str:
    return f"{'OVERDUE since' if now > until else 'owed until'} {moment(until, near=now)}"


def _came(row: Row, names: Mapping[str, str]) -> Iterator[str]:
    counted = (
        (row.items, _count(row.items, "item")),
        (row.for_decision_maker, f"{row.for_decision_maker} for the decision maker alone"),
        (row.indicated, f"holds confidential information ({row.indicated})"),
        (row.referred, f"ask somebody else ({row.referred})"),
        (row.refused, f"withheld ({row.refused})"),
    )
    if row.nil:
        yield in_words(NILS, row.nil)
    yield from (words for number, words in counted if number)
    for status in (TraceStatus.POSSIBLE_MATCH, TraceStatus.UNKNOWN):
        persons = [on_screen(names.get(key, key)) for key, trace in row.traces.items() if trace is status]
        if persons:
            yield f"{listed(persons)}: {in_words(TRACES, status)}"
    yield from (f"missing: {on_screen(gap)}" for gap in row.gaps)


def still_owed(collation: Collation) -> list[Text]:
    """Give one line for everything that has not come, the most pressing first."""
    owed = [(row.due_at, row.name) for row in collation.rows if row.answered_at is None]
    owed += [
        (until, f"{row.name}: {on_screen(source_name(source))}")
        for row in collation.rows
        for source, until in row.owed_until.items()
    ]
    return [
        Text(f"{_owed(until, collation.as_at)}   {on_screen(what)}", style="red" if collation.as_at > until else "")
        for until, what in sorted(owed)
    ]


def _not_contacted(collation: Collation) -> Iterator[Text]:
    for kind, reason in collation.not_contacted.items():
        yield Text.assemble((in_words(ORIGINATORS, kind), "bold"), ": ", on_screen(reason))


def counters(figures: Counters) -> RenderableType:
    """The figures by which the course of the enquiry can be checked, in one paragraph."""
    referred = [f"{number} to {in_words(ORIGINATORS, whom)}" for whom, number in figures.referred_to.items()]
    said = [
        f"{_count(figures.rfis, 'request')}, {figures.answered} answered in full",
        f"{_count(figures.rfi_breaches, 'breach', 'breaches')} of a due time, "
        f"{figures.sub_request_breaches} within an agency",
        f"{_count(figures.phone_prompts, 'telephone prompt')}, {figures.phone_prompts_open} open",
        f"{figures.indicate_only} confidential only",
        f"referred: {listed(referred) or 'none'}",
        f"{_count(figures.reratings, 're-rating')}",
        f"{_count(figures.supplements, 'supplement')}",
        f"{_count(figures.corrections, 'correction')}, {figures.correction_acknowledgements} acknowledged, "
        f"{figures.correction_acknowledgements_owed} to come",
    ]
    return Text("; ".join(said) + ".")


def issued_lines(enquiry: Enquiry) -> str:
    """Say to whom an enquiry went, until when each answer is due, and which telephone calls are to be made."""
    lines = [f"{enquiry.reference} is rated {enquiry.rag or 'not at all'}."]
    lines += [
        f"  {one.participant}: due {moment(one.due_at)}{', urgent' if one.urgent else ''}" for one in enquiry.issued
    ]
    to_ring = sorted({prompt.participant for prompt in enquiry.prompts if prompt.made_at is None})
    if to_ring:
        lines.append(f"Ring as well, and record it: {listed(to_ring)}.")
    return "\n".join(lines)


def decided_lines(enquiry: Enquiry) -> str:
    """Say what was decided, what had not been seen, and until when referrer and partners have to hear."""
    decided = enquiry.decided
    if decided is None:
        return f"{enquiry.reference} is not decided."
    lines = [f"{enquiry.reference}: {in_words(DECISIONS, decided.outcome)}, level of need {decided.level_of_need}."]
    if decided.not_seen:
        lines.append(f"Decided without an answer from {listed(decided.not_seen)}.")
    lines.append(f"Tell the referrer by {moment(decided.referrer_due_at)}.")
    lines.append(f"The agencies are told now; they had to hear by {moment(decided.partners_due_at)}.")
    return "\n".join(lines)


_RAG_STYLES: Mapping[str, str] = {
    "RED": "bold white on red",
    "AMBER": "bold black on yellow",
    "GREEN": "bold white on green",
    "BLUE": "bold white on blue",
}


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Rule(Text(title, style="bold"), align="left", style="dim"), body)


def _spaced(blocks: Iterator[RenderableType]) -> Iterator[RenderableType]:
    for block in blocks:
        yield Padding(block, (0, 0, 1, 0))
