"""The month's reports: what they count, what they hide, and what stays inside the partnership."""

import csv
import io
from datetime import datetime, timedelta

import pytest

from broker.calendar import MASH_CALENDAR
from broker.reports import (
    HIDDEN,
    NOT_FOR_PUBLICATION,
    Handled,
    History,
    Month,
    NotAMonth,
    OverrideReason,
    Sheet,
    csv_of,
    handled_in,
    late_list,
    overrides,
    rerating_list,
    reratings,
    response_times,
)
from broker.sla import RED_IN_WORKING_HOURS, ClockEvent, ClockEventKind, ClockState, NotIssuedError
from schemas.rating import RagRating
from tests.unit.clocks.times import local

RED, AMBER, GREEN, BLUE = RagRating
NOVEMBER = Month(2026, 11)
NOW = local("2026-12-01 09:00")


def history(
    reference: str,
    *,
    agency: str = "testford-police",
    rating: RagRating = AMBER,
    issued: str = "2026-11-24 10:12",
    answered_after: timedelta | None = timedelta(hours=3),
    then: tuple[ClockEvent, ...] = (),
) -> History:
    """Write the history of a request that was answered so long after its issue, or not at all."""
    at = local(issued)
    events = [ClockEvent(ClockEventKind.ISSUED, at, rating)]
    if answered_after is not None:
        events.append(ClockEvent(ClockEventKind.ANSWERED, at + answered_after))
    return History(reference, agency, (*events, *then))


def many(
    count: int, *, agency: str = "testford-police", rating: RagRating = AMBER, late: bool = False
) -> list[History]:
    """Write so many histories, in time or late."""
    after = timedelta(days=2) if late else timedelta(hours=3)
    return [
        history(f"{agency}-{rating}-{late}-{n}", agency=agency, rating=rating, answered_after=after)
        for n in range(count)
    ]


def read(histories: list[History]) -> tuple[Handled, ...]:
    """Read them as the November report does on 1 December."""
    return handled_in(NOVEMBER, histories, now=NOW, calendar=MASH_CALENDAR)


def table(sheet: Sheet) -> list[list[str]]:
    """Read a report back as a spreadsheet does."""
    return list(csv.reader(io.StringIO(csv_of(sheet, NOVEMBER))))


def test_response_times_are_counted_by_agency_and_rating() -> None:
    """Twenty in time and ten late: counts, total, median and ninth decile in real and in office hours."""
    lines = table(response_times(NOVEMBER, read([*many(20), *many(10, late=True)])))
    row = dict(zip(lines[0], lines[1], strict=True))
    assert (row["agency"], row["rating"], row["answered"], row["answered_late"], row["asked"]) == (
        "testford-police",
        "AMBER",
        "20",
        "10",
        "30",
    )
    assert (row["median hours"], row["nine in ten within hours"], row["median office hours"]) == ("3.0", "48.0", "3.0")


def test_a_month_is_that_of_the_issue_in_london() -> None:
    """Issued at midnight in summer time belongs to the day that London has."""
    handled = handled_in(
        Month(2026, 7),
        [history("a", issued="2026-07-01 00:30"), history("b", issued="2026-08-01 00:00")],
        now=NOW,
        calendar=MASH_CALENDAR,
    )
    assert [one.reference for one in handled] == ["a"]


def test_no_reply_is_a_breach_in_the_report_and_not_an_answer() -> None:
    """Silence is counted as silence, and an open request as open."""
    handled = read(
        [history("silent", answered_after=None), history("open", issued="2026-11-30 16:00", answered_after=None)]
    )
    assert {one.reference: one.state for one in handled} == {"silent": ClockState.BREACHED, "open": ClockState.RUNNING}


def test_a_small_count_cannot_be_read_or_worked_out_from_a_published_report() -> None:
    """The attack: the police were late three times; the totals, the other agencies and the times must not say so."""
    histories = [
        *many(40),
        *many(3, late=True),
        *many(30, agency="testford-housing"),
        *many(12, agency="testford-housing", late=True),
    ]
    lines = table(response_times(NOVEMBER, read(histories)))
    police = dict(zip(lines[0], next(line for line in lines if "testford-police" in line), strict=True))
    assert police["answered_late"] == HIDDEN
    assert sum(police[column] == HIDDEN for column in (*ClockState, "asked")) >= 2
    late = [line[lines[0].index("answered_late")] for line in lines[1:]]
    assert late.count(HIDDEN) >= 2
    assert police["median hours"] == HIDDEN


def test_a_time_of_few_answers_is_not_shown() -> None:
    """A median of two answers is both of them."""
    lines = table(response_times(NOVEMBER, read([*many(2), *many(50, agency="testford-housing")])))
    assert lines[2][-3:] == [HIDDEN] * 3


def test_a_row_without_answers_has_no_times() -> None:
    """Seven silent requests: nothing to take a median of."""
    silent = [history(str(number), answered_after=None) for number in range(7)]
    lines = table(response_times(NOVEMBER, read(silent)))
    assert lines[1][-3:] == ["", "", ""]


def test_a_published_report_names_no_request() -> None:
    """References stay inside, also those of large groups."""
    histories = many(20)
    published = "".join(
        csv_of(sheet, NOVEMBER) for sheet in (response_times(NOVEMBER, read(histories)), reratings(NOVEMBER, histories))
    )
    assert not any(one.reference in published for one in histories)


def test_the_late_list_names_every_late_request_and_says_that_it_is_not_for_publication() -> None:
    """The longest overdue first; no reply is called by its name."""
    histories = [
        history("in time"),
        history("late", answered_after=timedelta(days=2)),
        history("silent", answered_after=None),
    ]
    lines = table(late_list(read(histories), now=NOW))
    assert NOT_FOR_PUBLICATION in lines[0][0]
    assert [line[0] for line in lines[2:]] == ["silent", "late"]
    assert lines[2][5:] == ["no reply", "142.8"]
    assert lines[3][5:] == ["2026-11-26 10:12", "24.0"]


def test_no_field_of_a_list_is_a_formula() -> None:
    """The attack: a reference that a spreadsheet would run when the coordinator opens the list."""
    lines = table(late_list(read([history('=HYPERLINK("http://x.example")', answered_after=None)]), now=NOW))
    assert lines[2][0].startswith("'=")


def test_overrides_are_counted_by_reason_and_small_ones_hidden() -> None:
    """LAW-06: 8 and 2 of 10; neither the 2 nor what would give it away is shown."""
    at = local("2026-11-24 10:08")
    recorded = [(at, OverrideReason.WOULD_INCREASE_RISK)] * 8 + [(at, OverrideReason.CANNOT_CONSENT)] * 2
    counts = {line[1]: line[2] for line in table(overrides(NOVEMBER, recorded))}
    assert counts["cannot_consent"] == HIDDEN
    assert HIDDEN in {counts["would_increase_risk"], counts["all"]}


def test_overrides_of_another_month_do_not_count() -> None:
    """Each month is a table of its own."""
    sheet = overrides(NOVEMBER, [(local("2026-10-31 23:59"), OverrideReason.CANNOT_CONSENT)] * 9)
    assert table(sheet)[-1] == ["2026-11", "all", "0"]


def test_reratings_are_counted_from_and_to_and_once() -> None:
    """Seven went from AMBER to RED, told twice each; one to the rating that it had does not count."""

    def rerated(rating: RagRating, at: str = "2026-11-24 14:20") -> ClockEvent:
        return ClockEvent(ClockEventKind.RERATED, local(at), rating)

    histories = [history(str(number), then=(rerated(RED), rerated(RED))) for number in range(7)]
    histories += [history("same", then=(rerated(AMBER),)), history("later", then=(rerated(GREEN, "2026-12-02 09:00"),))]
    lines = table(reratings(NOVEMBER, histories))
    counts = {line[1]: dict(zip(lines[0][2:], line[2:], strict=True)) for line in lines[1:]}
    assert counts["AMBER"] == {"to RED": "7", "to AMBER": "0", "to GREEN": "0", "to BLUE": "0", "all": "7"}
    assert counts["all"]["all"] == "7"


def test_an_agency_is_measured_by_what_was_agreed_with_it() -> None:
    """RED in working hours: issued on Friday at 15:40, answered on Monday at 10:00, in time."""
    late_friday = History(
        "friday",
        "oldford-council",
        (
            ClockEvent(ClockEventKind.ISSUED, local("2026-11-27 15:40"), RED),
            ClockEvent(ClockEventKind.ANSWERED, local("2026-11-30 10:00")),
        ),
    )
    agreed = {"oldford-council": RED_IN_WORKING_HOURS}
    there = handled_in(NOVEMBER, [late_friday], now=NOW, calendar=MASH_CALENDAR, allowances=agreed)
    assert (there[0].state, read([late_friday])[0].state) == (ClockState.ANSWERED, ClockState.ANSWERED_LATE)


def test_a_request_rated_down_to_blue_is_still_in_the_report() -> None:
    """It was asked; it counts under the rating that it ended with."""
    blue = ClockEvent(ClockEventKind.RERATED, local("2026-11-24 11:00"), BLUE)
    lines = table(response_times(NOVEMBER, read([history(str(number), then=(blue,)) for number in range(6)])))
    assert lines[1][1:4] == ["testford-police", "BLUE", "6"]


def test_a_history_without_its_issue_stops_the_report() -> None:
    """A request that fell out of the statistics would be a request nobody answers for."""
    broken = History(
        "broken", "testford-police", (ClockEvent(ClockEventKind.ANSWERED, datetime.fromisoformat("2026-11-24T10:12Z")),)
    )
    with pytest.raises(NotIssuedError):
        read([broken])


def test_the_list_of_reratings_names_each_once_and_stays_inside() -> None:
    """Two requests of one enquiry, told twice; the list is marked, the table for publication names neither."""
    risen = ClockEvent(ClockEventKind.RERATED, local("2026-11-24 14:20"), RED)
    histories = [history("late-riser", then=(risen, risen)), history("unchanged")]
    sheet = rerating_list(NOVEMBER, histories)
    assert sheet.rows == (("late-riser", "testford-police", "AMBER", "RED", "2026-11-24 14:20"),)
    assert NOT_FOR_PUBLICATION in table(sheet)[0][0]


def test_a_sheet_with_a_row_too_short_is_refused() -> None:
    """A shifted column would show one agency's figure as another's."""
    with pytest.raises(ValueError, match="as many fields"):
        Sheet("x", "X", ("one", "two"), (("1",),), for_publication=True)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-11", "2026-11-01", "", "２０２６-11", "2026-11\n"])
def test_a_month_that_is_none_is_refused_without_its_text(text: str) -> None:
    """What was typed may be anything."""
    with pytest.raises(NotAMonth) as refused:
        Month.read(text)
    assert str(refused.value) == "A month reads like 2026-11."


def test_a_month_begins_and_ends_by_londons_clock() -> None:
    """October 2026 begins in summer time and ends in winter time; December ends with the year."""
    assert Month.read("2026-10").begins_at.isoformat() == "2026-09-30T23:00:00+00:00"
    assert Month.read("2026-10").ends_at.isoformat() == "2026-11-01T00:00:00+00:00"
    assert Month.read("2026-12").ends_at.isoformat() == "2027-01-01T00:00:00+00:00"
