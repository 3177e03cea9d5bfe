"""The items of a collation on a terminal: urgent content, chronology, levels of need, what is held back.

Block by block and not in a table, so that a wording has the whole width and is never cut. Every text goes through
`text`, which shows controls instead of letting the terminal obey them.
"""

from collections.abc import Container, Iterable, Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from adapters.la.console import phrases
from adapters.la.console.chronology import chronology, common_conditions, is_urgent
from adapters.la.console.collation import CollatedItem, Collation, HeldBack
from adapters.la.console.handover import on_screen as for_reader
from adapters.la.console.legible import on_screen
from adapters.la.console.wording import CONDITIONS, LEVELS, in_words


def text(words: str, *, style: str = "") -> Text:
    """Give words for the terminal: never markup, never a control sequence."""
    return Text(on_screen(words), style=style)


def heading(title: str, *, style: str = "") -> RenderableType:
    """Give the heading of one part."""
    return Rule(Text(title, style=f"bold {style}".strip()), align="left", style=style or "dim")


def urgent(collation: Collation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    """Give what has to be read before anything else, if there is any."""
    first = chronology(for_reader(collation, collation.reader).items).urgent
    if first:
        yield Group(heading("URGENT: read first", style="red"), *_blocks(first, names))


def items(collation: Collation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    """Give the chronology, what is kept out of it, and how much this reader does not see, and why."""
    selection = for_reader(collation, collation.reader)
    story = chronology(selection.items)
    said_once = common_conditions(selection.items)
    yield Group(
        heading("What they say, in the order in which it happened"),
        *[Text(f"For everything below: {in_words(CONDITIONS, code)}", style="italic") for code in said_once],
        *_blocks(story.dated, names, said_once=said_once, pointing=True),
        *([] if story.dated else [Text("No items yet.")]),
    )
    if story.apart:
        blocks = _blocks(story.apart, names, said_once=said_once)
        yield Group(heading("Not to be copied into a chronology"), *blocks)
    if selection.left_out:
        yield Group(heading("Not for you"), *map(text, phrases.left_out(selection.left_out)))


def _blocks(
    shown: Iterable[CollatedItem],
    names: Mapping[str, str],
    *,
    said_once: Container[str] = (),
    pointing: bool = False,
) -> list[RenderableType]:
    return [_pointer(one) if pointing and is_urgent(one) else _block(one, names, said_once=said_once) for one in shown]


def _block(one: CollatedItem, names: Mapping[str, str], *, said_once: Container[str]) -> RenderableType:
    first = text(" · ".join(phrases.caption(one, names)), style="bold")
    for remark in phrases.remarks(one):
        first.append(on_screen(f" · {remark}"), style="red")
    body = [
        text(one.item.wording),
        text(phrases.audiences(one), style="dim"),
        *[_point(words) for words in phrases.bindings(one, said_once=said_once)],
        text(f"{one.item.marking.gsc} · item {one.item.item}", style="dim"),
    ]
    return Group(first, Padding(Group(*body), (0, 0, 1, 2)))


def _point(words: str) -> RenderableType:
    """Give one point that hangs from its dash, so that a long one still reads as one."""
    point = Table.grid(padding=(0, 1, 0, 0))
    point.add_row(Text("-", style="dim"), text(words, style="dim"))
    return point


def _pointer(one: CollatedItem) -> RenderableType:
    line = f"{phrases.day_of(one)} · {one.name} · see the urgent item on top"
    return Padding(text(line, style="bold"), (0, 0, 1, 0))


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
        table.add_row(text(row.name), *[Text(mark) for mark in scale(row.level_of_need or "")])
    reasons = [
        Text.assemble(text(f"{row.name}, level {row.level_of_need}: ", style="bold"), text(row.analysis))
        for row in judged
        if row.analysis
    ]
    yield Group(
        heading("Levels of need: THEY DIFFER" if collation.levels_differ else "Levels of need"), table, *reasons
    )


def scale(level: str) -> tuple[str, ...]:
    """Give one mark for each of the four levels; "2-3" marks both."""
    low, high = int(level[0]), int(level[-1])
    return tuple(str(step) if low <= step <= high else "·" for step in range(1, 5))


def held_back(collation: Collation) -> Iterator[RenderableType]:
    """Say what is held and not given: whom to ring, whom to ask instead, and what was refused and why."""
    if collation.held_back:
        yield Group(heading("Held back"), *[_held(one) for one in collation.held_back])


def _held(one: HeldBack) -> RenderableType:
    said = Text.assemble(text(one.name, style="bold"), " ", text(phrases.held(one)))
    return Group(said, *[Padding(_point(point), (0, 0, 0, 2)) for point in phrases.held_points(one)])
