"""The items of a collation on a terminal: urgent content, chronology, levels of need, what is held back.

Block by block and not in a table, so that a wording has the whole width and is never cut. Each block says what kind of
statement it is, who may receive it, and under which conditions.
"""

from collections.abc import Iterable, Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from adapters.la.console.chronology import chronology, common_conditions, is_urgent, when
from adapters.la.console.collation import CollatedItem, Collation, HeldBack
from adapters.la.console.handover import on_screen as for_reader
from adapters.la.console.legible import day, moment, on_screen
from adapters.la.console.wording import (
    ALERTS,
    CONDITIONS,
    LEFT_OUT,
    LEVELS,
    NATURES,
    ORIGINATORS,
    REASONS,
    in_words,
    listed,
    who_may_receive,
)
from schemas.content.codes import Alert, Audience


def urgent(collation: Collation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    """Give what has to be read before anything else, if there is any."""
    first = chronology(for_reader(collation, collation.reader).items).urgent
    if first:
        blocks = [_block(one, names, said_once=()) for one in first]
        yield Group(Rule(Text("URGENT: read first", style="bold red"), align="left", style="red"), *blocks)


def items(collation: Collation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    """Give the chronology, what is kept out of it, and how much this reader does not see, and why."""
    selection = for_reader(collation, collation.reader)
    story = chronology(selection.items)
    said_once = common_conditions(selection.items)
    yield Group(
        _heading("What they say, in the order in which it happened"),
        *[Text(f"For everything below: {in_words(CONDITIONS, code)}", style="italic") for code in said_once],
        *[_pointer(one) if is_urgent(one) else _block(one, names, said_once=said_once) for one in story.dated],
        *([] if story.dated else [Text("No items yet.")]),
    )
    if story.apart:
        blocks = [_block(one, names, said_once=said_once) for one in story.apart]
        yield Group(_heading("Not to be copied into a chronology"), *blocks)
    if selection.left_out:
        lines = [Text(f"{number} not shown: {LEFT_OUT[left]}") for left, number in selection.left_out.items()]
        yield Group(_heading("Not for you"), *lines)


def _block(one: CollatedItem, names: Mapping[str, str], *, said_once: Iterable[str]) -> RenderableType:
    body = [Text(on_screen(one.item.wording)), *[_line(line) for line in _marks(one, said_once)]]
    return Group(_caption(one, names), Padding(Group(*body), (0, 0, 1, 2)))


def _line(line: str) -> RenderableType:
    """Give one line of a marking; what begins with a dash hangs from it, so that it reads as one point."""
    if not line.startswith("- "):
        return Text(line, style="dim")
    point = Table.grid(padding=(0, 1, 0, 0))
    point.add_row(Text("-", style="dim"), Text(line[2:], style="dim"))
    return point


def _caption(one: CollatedItem, names: Mapping[str, str]) -> Text:
    on = when(one)
    caption = Text(day(on) if on else "no date given", style="bold")
    caption.append(f" · {on_screen(one.name)} · {in_words(NATURES, one.item.marking.nature)}")
    if one.item.summarised:
        caption.append(" · a summary", style="not bold")
    subjects = listed([on_screen(names.get(key, key)) for key in one.item.subjects])
    caption.append(f" · about {subjects}" if subjects else "", style="not bold")
    for mark in _remarks(one):
        caption.append(f" · {mark}", style="red")
    return caption


def _remarks(one: CollatedItem) -> Iterator[str]:
    if one.sealed:
        yield "SEALED for the decision maker"
    for alert in one.item.alerts:
        yield "URGENT" if alert == Alert.URGENT_CONTENT else in_words(ALERTS, alert)
    if one.supplement:
        yield f"supplement of {moment(one.arrived_at)}"
    elif one.late:
        yield f"came late, {moment(one.arrived_at)}"


def _marks(one: CollatedItem, said_once: Iterable[str]) -> Iterator[str]:
    """Give the marking in words: who may receive the item, and every condition that was not said above."""
    marking = one.item.marking
    family = "" if marking.permits(Audience.FAMILY) else " Not to the family."
    yield f"May go to {who_may_receive(marking.onward, sealed=one.sealed)}.{family}"
    if marking.grading:
        yield f"Grading: {on_screen(marking.grading)}."
    for condition in marking.conditions:
        if condition not in said_once:
            yield f"- {in_words(CONDITIONS, condition)}"
    for words in marking.handling_conditions:
        yield f"- Word for word: “{on_screen(words)}”"
    if one.item.refer_to:
        yield f"- For what was taken out, ask {listed([in_words(ORIGINATORS, whom) for whom in one.item.refer_to])}."
    yield f"{on_screen(marking.gsc)} · item {on_screen(one.item.item)}"


def _pointer(one: CollatedItem) -> RenderableType:
    on = when(one)
    line = f"{day(on) if on else 'no date given'} · {on_screen(one.name)} · see the urgent item on top"
    return Padding(Text(line, style="bold"), (0, 0, 1, 0))


def levels(collation: Collation) -> Iterator[RenderableType]:
    """Set the levels of need side by side on one scale. Nothing is averaged and nobody is outvoted."""
    judged = [row for row in collation.rows if row.level_of_need]
    if not judged:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Agency", overflow="fold")
    for level, name in LEVELS.items():
        table.add_column(f"{level}\n{name}", justify="center", overflow="fold")
    for row in sorted(judged, key=lambda one: (one.level_of_need or "", one.name), reverse=True):
        table.add_row(Text(on_screen(row.name)), *[Text(mark) for mark in scale(row.level_of_need or "")])
    title = "Levels of need: THEY DIFFER" if collation.levels_differ else "Levels of need"
    reasons = [
        Text.assemble((f"{on_screen(row.name)}, level {row.level_of_need}: ", "bold"), on_screen(row.analysis))
        for row in judged
        if row.analysis
    ]
    yield Group(_heading(title), table, *reasons)


def scale(level: str) -> tuple[str, ...]:
    """Give one mark for each of the four levels; "2-3" marks both."""
    low, high = int(level[0]), int(level[-1])
    return tuple(str(step) if low <= step <= high else "·" for step in range(1, 5))


def held_back(collation: Collation) -> Iterator[RenderableType]:
    """Say what is held and not given: whom to ring, whom to ask instead, and what was refused and why."""
    if collation.held_back:
        yield Group(_heading("Held back"), *[_held(one) for one in collation.held_back])


def _held(one: HeldBack) -> RenderableType:
    said = Text.assemble((on_screen(one.name), "bold"), " ", _said(one))
    points: list[str] = []
    if one.indicator:
        points += [in_words(CONDITIONS, code) for code in one.indicator.conditions]
        points += [f"Word for word: “{on_screen(words)}”" for words in one.indicator.handling_conditions]
        points += [in_words(ALERTS, alert) for alert in one.indicator.alerts]
    return Group(said, *[Padding(_line(f"- {point}"), (0, 0, 0, 2)) for point in points])


def _said(one: HeldBack) -> str:
    if one.indicator:
        sealed = " A part of it is sealed for the decision maker." if one.indicator.sealed_for else ""
        ring = f"ring {on_screen(one.indicator.contact)} on {on_screen(one.indicator.telephone)}."
        return f"holds confidential information: {ring}{sealed}"
    if one.referral:
        whom = listed([in_words(ORIGINATORS, originator) for originator in one.referral.refer_to])
        return f"says: ask {whom}{f' ({on_screen(one.note)})' if one.note else ''}. {_because(one.referral.reasons)}"
    return f"withheld something. {_because(one.refusal.reasons if one.refusal else ())}"


def _because(reasons: tuple[str, ...]) -> str:
    words = list(dict.fromkeys(in_words(REASONS, reason) for reason in reasons))
    return f"Because: {listed(words)}." if words else "No reason was given: ask for one."


def _heading(title: str) -> RenderableType:
    return Rule(Text(title, style="bold"), align="left", style="dim")
