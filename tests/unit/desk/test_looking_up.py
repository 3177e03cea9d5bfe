"""What a look-up adds to the file, what a send leaves behind, and when a correction may go."""

import pytest

from adapters.kit.desk.answer import Judged
from adapters.kit.desk.request_file import GROUNDS, RequestFile, approved, worded
from adapters.kit.desk.steps import (
    after_sending,
    correction_objections,
    with_lookup,
    withholding_objections,
)
from adapters.kit.lookup.records import Lookup, Trace
from adapters.kit.lookup.unread import Unread
from schemas.content.codes import Outcome
from schemas.content.record import Record
from schemas.content.response import TraceStatus
from tests.unit.desk.office import NOW, SOURCE, candidate, file, judged, record, replied

BROKEN = Unread("records.csv", 3, "dob", "not a date", "correct it and export again")


def _looked_up(
    about: RequestFile, *found: Record, unread: tuple[Unread, ...] = (), accepted: bool = False
) -> RequestFile:
    lookup = Lookup(found, {"tilly": Trace(TraceStatus.TRACE)}, unread, frozenset({SOURCE}))
    accepted_by = "housing-lead" if accepted else None
    return with_lookup(about, lookup, sources=frozenset({SOURCE}), accepted_by=accepted_by, at=NOW, by="housing-lead")


def test_a_record_is_a_candidate_once_however_often_the_family_is_looked_up() -> None:
    """An item keeps its reference, so that nothing leaves twice."""
    once = _looked_up(file(), record())
    twice = _looked_up(once, record())

    assert [one.item for one in twice.candidates] == [one.item for one in once.candidates]


def test_an_item_reference_says_nothing_about_the_record() -> None:
    """The outside name is drawn at random."""
    (one,) = _looked_up(file(), record()).candidates
    (other,) = _looked_up(file(), record()).candidates

    assert one.item != other.item
    assert one.key not in one.item


def test_a_record_that_changed_at_its_source_is_taken_anew_and_its_approval_no_longer_counts() -> None:
    """The danger: the approved text of yesterday leaves, or today's text leaves on yesterday's approval."""
    about = _looked_up(file(), record())
    signed = approved(about.candidates[0], "lead", at=NOW, by="housing-lead")
    again = _looked_up(about.model_copy(update={"candidates": (signed,)}), record(text="what the source says today"))

    assert again.candidates[0].record.text == "what the source says today"
    assert again.candidates[0].approving_roles() == frozenset()


def test_a_professionals_own_wording_is_not_lost_when_the_family_is_looked_up_again() -> None:
    """It was written for release; the source knows nothing of it."""
    about = file(candidates=(worded(candidate(), "careful", by="clerk"),))

    assert _looked_up(about, record()).candidates[0].record.summary == "careful"


def test_a_record_that_has_been_answered_for_stays_as_it_was_sent() -> None:
    """What left is on file as it left (REC-01); a change is a correction."""
    about = file(candidates=(candidate(sent_in_part=1),))

    assert _looked_up(about, record(text="changed since")).candidates[0].record.text == "text of HOU-01"


def test_gaps_have_to_be_accepted_anew_after_each_look_up() -> None:
    """The danger: an acceptance of last week's gap covers today's."""
    accepted = _looked_up(file(), unread=(BROKEN,), accepted=True)
    again = _looked_up(accepted, unread=(BROKEN,))

    assert accepted.unread_and_not_accepted == ()
    assert again.unread_and_not_accepted == (str(BROKEN),)


def test_after_sending_each_record_knows_whether_and_in_which_section_it_left() -> None:
    """Only what left to the team may be corrected to the team."""
    about = file(candidates=(candidate("A"), candidate("B"), candidate("C")))
    a, b, c = about.candidates
    reply = replied(about, judged(a), judged(b, onward=("decision_maker",)), judged(c, Outcome.WITHHOLD_SILENT))

    left = {one.key: (one.sent_in_part, one.left_in) for one in after_sending(about, reply, at=NOW, by="x").candidates}
    assert left == {"A": (1, "team"), "B": (1, "decision_maker"), "C": (1, None)}


@pytest.mark.parametrize("outcome", [Outcome.WITHHOLD, Outcome.WITHHOLD_SILENT, Outcome.REFER_TO_ORIGINATOR])
def test_a_record_of_which_nothing_left_is_not_corrected(outcome: Outcome) -> None:
    """The attack: tell the team the wording of a withheld record by "correcting" it."""
    assert correction_objections(judged(candidate(sent_in_part=1), outcome)) == [
        "nothing of HOU-01 has left; nothing has to be corrected outside"
    ]


def test_what_was_sealed_for_the_decision_maker_is_not_corrected_before_the_team() -> None:
    """A correction is read by the whole team."""
    sealed = candidate(sent_in_part=1, left_in="decision_maker")

    assert len(correction_objections(judged(sealed, onward=("decision_maker",)))) == 1


@pytest.mark.parametrize(
    "changed",
    [
        judged(candidate(sent_in_part=1, left_in="team"), approvals_needed=("lead",)),
        judged(candidate(sent_in_part=1, left_in="team"), Outcome.WITHHOLD),
        judged(candidate(sent_in_part=1, left_in="team"), onward=("decision_maker",)),
    ],
    ids=["not approved", "no longer allowed", "only for the decision maker now"],
)
def test_a_corrected_wording_leaves_only_as_the_rules_allow_it_now(changed: Judged) -> None:
    """Design, "Never" 2: the last evaluation counts, for a correction too."""
    assert correction_objections(changed)


def test_a_correction_of_what_the_team_has_goes_once_the_rules_allow_it() -> None:
    """The plain case."""
    assert correction_objections(judged(candidate(sent_in_part=1, left_in="team"))) == []


def test_an_unknown_ground_for_withholding_is_refused_and_every_known_one_is_named() -> None:
    """LAW-27."""
    (said,) = withholding_objections("BECAUSE", "")

    assert all(ground in said for ground in GROUNDS)


@pytest.mark.parametrize("note", ["", "   ", "too short"])
def test_withholding_as_more_detrimental_to_the_child_needs_the_weighing(note: str) -> None:
    """LAW-30: what may happen if it is shared, and what if it is not."""
    assert [line[:6] for line in withholding_objections("MORE_DETRIMENTAL_TO_CHILD", note)] == ["LAW-30"]
    assert withholding_objections("MORE_DETRIMENTAL_TO_CHILD", "he reads her post; she leaves on Friday") == []
