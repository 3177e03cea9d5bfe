"""What is printed of a report: its blocks as data for the typesetter (`report.typ`). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from broker.calendar import LONDON
from broker.reports.sheets import Sheet

Block = dict[str, Any]
FOR_PUBLICATION: Final = "FOR PUBLICATION"
INSIDE: Final = "NOT FOR PUBLICATION"
HANDLING: Final = (
    "Names requests one by one: for the people who answer for them and for inspectors, and nobody else. "
    "Destroy paper copies as confidential waste."
)
WIDE: Final = 3
"""A column of words is so many times as wide as a column of figures."""


@dataclass(frozen=True)
class Source:
    """What a report was made from: so many entries of a verified ledger, its last hash, since when, and whose it is."""

    entries: int
    hash: str
    kept_since: datetime
    whose: str = "the hub's ledger"


def page(
    title: str, sections: Sequence[Block], *, source: Source, at: datetime, inside: bool, landscape: bool = False
) -> Mapping[str, Any]:
    """Give the whole paper; `inside` marks every page as not for publication."""
    made = f"Made {moment(at)} from {source.entries} entries of {source.whose}; last hash {source.hash[:16]}."
    return {
        "title": title,
        "running_title": title,
        "marking": INSIDE if inside else FOR_PUBLICATION,
        "inside": inside,
        "landscape": landscape,
        "footer": f"{HANDLING}\n{made}" if inside else made,
        "sections": list(sections),
    }


def section(title: str | None, *blocks: Block, new_page: bool = False, keep: bool = False) -> Block:
    """Give a section; `keep` holds it together on one page, if it is no longer than that."""
    return {"title": title, "blocks": list(blocks), "new_page": new_page, "keep": keep}


def heading(title: str) -> Block:
    """Give the heading of a part of a section."""
    return {"kind": "heading", "title": title}


def lines(*texts: str) -> Block:
    """Give paragraphs; what stands between backquotes is a command."""
    return {"kind": "lines", "lines": list(texts)}


def points(*texts: str) -> Block:
    """Give a list of points."""
    return {"kind": "points", "lines": list(texts)}


def facts(*rows: tuple[str, str]) -> Block:
    """Give names with their values."""
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def table(sheet: Sheet, *, words: Mapping[str, str] | None = None, leave_out: int = 0) -> Block:
    """Give a sheet as a table: its last row is a total if it says "all".

    `words` are the column heads for people, `leave_out` the first columns that the title says already.
    """
    head, left = sheet.head[leave_out:], sheet.left - leave_out
    rows = [list(row[leave_out:]) for row in sheet.rows]
    return {
        "kind": "table",
        "head": [(words or {}).get(name, name) for name in head],
        "rows": rows,
        "widths": [int(digit) for digit in sheet.widths[leave_out:]]
        or [WIDE if n < left else 2 for n in range(len(head))],
        "align": ["left" if place < left else "right" for place in range(len(head))],
        "total": len(rows) if rows and rows[-1][0] == "all" else 0,
    }


def moment(at: datetime) -> str:
    """Show a moment in words, by London's clock."""
    there = at.astimezone(LONDON)
    return f"{there:%a} {there.day} {there:%b %Y} {there:%H:%M}"
