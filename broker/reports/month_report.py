"""One month's report, put together: the sheets to publish and those that stay inside, as CSV and on paper. Pure.

They are two papers and two folders, because a file that holds both is published whole by mistake.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from broker.calendar import WorkingCalendar
from broker.reports import paper
from broker.reports.handled import History, handled_in
from broker.reports.months import Month
from broker.reports.paper import Source
from broker.reports.sheets import HIDDEN, Sheet, csv_of
from broker.reports.tables import late_list, rerating_list, reratings, response_times
from broker.reports.typeset import typeset
from broker.sla import Allowances

SHAPE: Final = "mash.report.month.v1"
WORDS: Final[Mapping[str, str]] = {
    "answered": "answered in time",
    "answered_late": "answered late",
    "breached": "no reply, overdue",
    "running": "no reply yet, in time",
    "waiting": "sent back as incomplete",
    "closed": "closed unanswered",
    "asked": "asked in all",
    "median hours": "median, hours",
    "nine in ten within hours": "nine in ten within, hours",
    "median office hours": "median, office hours",
}
_IN_WORDS: Final = frozenset({"month", "agency", "rating", "from", "reason"})
HOW_COUNTED: Final = (
    "A request is one question to one agency; an enquiry asks several. It belongs to the month in which it was issued, "
    "and to the rating that it had last.",
    "Due times are those of the rating on the area's working calendar. A due time that was set by hand is sealed from "
    "the hub and is not in these figures; the council's own report has it.",
    "A nil return is an answer. No reply is no reply: it says nothing about a child.",
    "A change of rating is counted for every request that was still open, and in the month of the change.",
)
USE_INSIDE: Final = (
    "A reference names one request; the agencies find it by `mash report find`. Nothing here says whom a request was "
    "about, and the hub does not know."
)
HOW_HIDDEN: Final = (
    "A count from 1 to 5 is shown as [c]: so few requests could point to a family. A nought is shown.",
    "Where a hidden count could be worked out from its neighbours and totals, further cells are hidden with it. "
    "A cell with [c] is therefore not always small.",
    "Times are shown for rows of six answers or more in which nothing is hidden. "
    "Office hours are those in which the MASH is open.",
    "Publish a month once, and do not set it against a running total that contains it: the difference between two "
    "tables can bring a hidden count back.",
)


@dataclass(frozen=True)
class MonthReport:
    """One month as it stood at `as_at`; `remarks` say what may be missing, `counted` and `use` what its papers say."""

    month: Month
    as_at: datetime
    source: Source
    published: tuple[Sheet, ...]
    inside: tuple[Sheet, ...]
    remarks: tuple[str, ...]
    counted: tuple[str, ...] = HOW_COUNTED
    use: str = USE_INSIDE

    @property
    def is_final(self) -> bool:
        """Say whether the month was over."""
        return self.as_at >= self.month.ends_at


def month_report(
    month: Month,
    histories: Iterable[History],
    *,
    source: Source,
    now: datetime,
    calendar: WorkingCalendar,
    allowances: Mapping[str, Allowances],
) -> MonthReport:
    """Make the report. Hiding small numbers takes seconds where there are many agencies: not on an event loop."""
    known = tuple(histories)
    handled = handled_in(month, known, now=now, calendar=calendar, allowances=allowances)
    return MonthReport(
        month=month,
        as_at=now,
        source=source,
        published=(response_times(month, handled), reratings(month, known)),
        inside=(late_list(handled, now=now), rerating_list(month, known)),
        remarks=tuple(remarks_on(month, source, now=now)),
    )


def files_of(report: MonthReport) -> dict[str, bytes]:
    """Give every file by its path: what may be published and what stays inside are in folders apart.

    Nothing of a month that is not over may be published: its figures of two days can be set against each other.
    """
    month = report.month
    place = "publication/" if report.is_final else "internal/provisional-"
    files = {f"{place}{one.name}-{month}.csv": csv_of(one, month).encode() for one in report.published}
    files |= {f"internal/{one.name}-{month}.csv": csv_of(one, month).encode() for one in report.inside}
    files[f"{place}report-{month}.pdf"] = typeset(_published_page(report), at=report.as_at)
    files[f"internal/lists-{month}.pdf"] = typeset(_inside_page(report), at=report.as_at)
    return files


def as_plain(report: MonthReport) -> dict[str, Any]:
    """Give what may be published as one JSON object: a hidden figure is the text `[c]`, one that is none is null."""
    return {
        "schema": SHAPE,
        "month": str(report.month),
        "as_at": report.as_at.isoformat(),
        "ledger": {"entries": report.source.entries, "hash": report.source.hash},
        "remarks": list(report.remarks),
        **{one.name.replace("-", "_"): _rows(one) for one in report.published},
        "not_for_publication": {one.name.replace("-", "_"): len(one.rows) for one in report.inside},
    }


def to_json(plain: Mapping[str, Any]) -> str:
    """Write it, keys in their order."""
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def _rows(sheet: Sheet) -> list[dict[str, str | float | None]]:
    names = [name.replace(" ", "_").lower() for name in sheet.head]
    return [{name: _value(name, field) for name, field in zip(names, row, strict=True)} for row in sheet.rows]


def _value(name: str, field: str) -> str | float | None:
    if name in _IN_WORDS or field == HIDDEN:
        return field
    return (float(field) if "." in field else int(field)) if field else None


def remarks_on(month: Month, source: Source, *, now: datetime) -> Iterable[str]:
    """Say what may be missing from a month's figures."""
    if now < month.ends_at:
        yield f"The month is not over: it is counted up to {paper.moment(now)}, and the figures will change."
        yield "Nothing of it may be published before it is."
    if source.kept_since > month.begins_at:
        yield f"The ledger is kept since {paper.moment(source.kept_since)}: what was asked before is not in it."


def _published_page(report: MonthReport) -> Mapping[str, Any]:
    first, *others = report.published
    sections = [
        paper.section(None, _facts(report), *_remarked(report)),
        paper.section(first.title, _table(first, leave_out=1)),
        paper.section("How small numbers are hidden", paper.points(*HOW_HIDDEN)),
        *(paper.section(sheet.title, _table(sheet, leave_out=1)) for sheet in others),
        paper.section("What is counted", paper.points(*report.counted)),
    ]
    title = f"Requests for information: {report.month.in_words}"
    return paper.page(
        title, sections, source=report.source, at=report.as_at, inside=not report.is_final, landscape=True
    )


def _inside_page(report: MonthReport) -> Mapping[str, Any]:
    sections = [
        paper.section(None, _facts(report), *_remarked(report), paper.lines(report.use)),
        *(paper.section(sheet.title, _table(sheet)) for sheet in report.inside),
    ]
    title = f"Requests one by one: {report.month.in_words}"
    return paper.page(title, sections, source=report.source, at=report.as_at, inside=True)


def _facts(report: MonthReport) -> paper.Block:
    return paper.facts(
        ("Month", f"{report.month.in_words}, by the date of issue in London"),
        ("As at", paper.moment(report.as_at)),
        ("Made from", f"{report.source.entries} entries of {report.source.whose}, every link of it verified"),
        ("Last hash", report.source.hash),
    )


def _remarked(report: MonthReport) -> Sequence[paper.Block]:
    return [paper.points(*report.remarks)] if report.remarks else []


def _table(sheet: Sheet, *, leave_out: int = 0) -> paper.Block:
    if not sheet.rows:
        return paper.lines("There is nothing to show for this month.")
    return paper.table(sheet, words=WORDS if sheet.for_publication else None, leave_out=leave_out)
