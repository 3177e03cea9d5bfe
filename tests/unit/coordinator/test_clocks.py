"""Ratings and due times of an enquiry: anew may mean sooner, and never later (SLA-10)."""

from datetime import timedelta

import pytest

from adapters.la.console import clocks
from adapters.la.console.issuing import drafts
from broker.calendar import MASH_CALENDAR
from tests.unit.coordinator.desk import NOW, area, enquiry, issued, made, planned

LATER = NOW + timedelta(hours=4)


@pytest.mark.parametrize("before", ["RED", "AMBER", "GREEN"])
@pytest.mark.parametrize("after", ["RED", "AMBER", "GREEN"])
def test_rating_anew_never_lengthens_a_due_time(before: str, after: str) -> None:
    """From any rating to any other."""
    due, _ = clocks.due_and_urgency(before, issued_at=NOW, calendar=MASH_CALENDAR)
    about = enquiry().model_copy(update={"issued": (issued("testford-police", due_at=due),)})
    (rated,) = clocks.rerated(about, after, at=LATER, calendar=MASH_CALENDAR, unanswered=["RFI-testford-police"])

    assert rated.due_at <= due


def test_rating_anew_leaves_the_due_time_of_what_was_answered() -> None:
    """An answered request is not made late after the event."""
    about = enquiry().model_copy(update={"issued": (issued("testford-police", due_at=NOW + timedelta(days=5)),)})

    assert clocks.rerated(about, "RED", at=LATER, calendar=MASH_CALENDAR, unanswered=[]) == about.issued


def test_a_due_time_by_hand_may_be_sooner_and_not_later() -> None:
    """RFI-02: later only with a reason, and `issue` takes none."""
    usual, _ = clocks.due_and_urgency("GREEN", issued_at=NOW, calendar=MASH_CALENDAR)
    sooner = usual - timedelta(hours=3)

    assert clocks.due_and_urgency("GREEN", issued_at=NOW, calendar=MASH_CALENDAR, sooner=sooner)[0] == sooner
    later = usual + timedelta(days=3)
    assert clocks.due_and_urgency("GREEN", issued_at=NOW, calendar=MASH_CALENDAR, sooner=later)[0] == usual


def test_only_urgent_requests_prompt_a_telephone_call() -> None:
    """SLA-02: one prompt each, with a reference of its own."""
    calls = clocks.prompts(
        [issued("testford-police"), issued("testford-health", urgent=False)],
        "AMBER",
        cause="issue",
        at=NOW,
        calendar=MASH_CALENDAR,
    )

    assert [call.participant for call in calls] == ["testford-police"]


def test_nobody_is_asked_twice_unless_the_request_went_back() -> None:
    """RFI-15: the corrected request keeps its reference and its thread, and has a clock of its own."""
    about = enquiry(planned("testford-police"), planned("testford-health")).model_copy(
        update={"issued": (issued("testford-police"),)}
    )

    assert [draft.planned.participant for draft in made(about)] == ["testford-health"]
    first = made(about, bounced=["RFI-testford-police"])[0]
    assert (first.request.rfi, first.again) == ("RFI-testford-police", about.issued[0])
    assert (first.request.response_due_at or NOW) > NOW


def test_a_second_correction_starts_no_new_clock() -> None:
    """RFI-15: the first correction restarted it; who corrects twice has the time that is left, while some is."""
    soon, gone = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    dues = []
    for due in (soon, gone):
        about = enquiry(planned("testford-police")).model_copy(
            update={"issued": (issued("testford-police", due_at=due),)}
        )
        rfi = frozenset({"RFI-testford-police"})
        (draft,) = drafts(about, area=area(), bounced=rfi, queried=rfi, now=NOW)
        dues.append(draft.request.response_due_at)

    assert dues[0] == soon
    assert dues[1] is not None
    assert dues[1] > NOW
