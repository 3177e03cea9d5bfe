"""Approvals and withholding: what a professional decides is bound to what was read, and only ever tightens."""

import pytest

from adapters.kit.desk.request_file import approved, withheld, worded
from schemas.content.codes import OUTCOMES_OPEN_TO_STRICT, Outcome
from tests.unit.desk.office import NOW, candidate, file, judged, record, replied

LEAD = "housing_safeguarding_lead"


def test_an_approval_counts_for_the_text_that_was_approved() -> None:
    """The plain case: the role stands among the approvals in force."""
    given = approved(candidate(), LEAD, at=NOW, by="housing-lead")

    assert given.approving_roles() == {LEAD}


def test_an_approval_of_one_wording_does_not_count_for_another() -> None:
    """The attack: have something harmless approved, then word it anew and send that."""
    given = approved(candidate(), LEAD, at=NOW, by="housing-lead")

    assert worded(given, "another wording", by="clerk").approving_roles() == frozenset()


def test_an_approval_does_not_come_back_with_a_third_wording() -> None:
    """Only the very wording that was approved counts, however often it was changed in between."""
    first = approved(worded(candidate(), "first", by="clerk"), LEAD, at=NOW, by="housing-lead")

    assert worded(worded(first, "second", by="clerk"), "first", by="clerk").approving_roles() == {LEAD}
    assert worded(first, "third", by="clerk").approving_roles() == frozenset()


def test_an_approval_does_not_count_when_the_text_under_the_same_wording_changes() -> None:
    """Who approved the wording had read the text that it stands for."""
    given = approved(candidate(record=record(summary="a wording")), LEAD, at=NOW, by="housing-lead")
    changed = given.model_copy(update={"record": record(summary="a wording", text="something else happened")})

    assert changed.approving_roles() == frozenset()


@pytest.mark.parametrize("outcome", OUTCOMES_OPEN_TO_STRICT)
def test_withholding_by_a_professional_only_tightens(outcome: Outcome) -> None:
    """Whatever the rules said, the outcome is at least as strict afterwards; a silent withhold stays silent."""
    strictness = OUTCOMES_OPEN_TO_STRICT.index
    before = judged(outcome=outcome)
    after = judged(withheld(before.candidate, "NOT_RELEVANT", "", at=NOW, by="housing-lead"), outcome)

    assert strictness(after.outcome) >= strictness(before.outcome)
    assert (after.outcome is Outcome.WITHHOLD_SILENT) == (outcome is Outcome.WITHHOLD_SILENT)


def test_withholding_does_not_turn_a_silent_withhold_visible() -> None:
    """The attack: withhold a covert record by hand, so that the answer says "withheld: not relevant"."""
    hidden = judged(withheld(candidate(), "NOT_RELEVANT", "", at=NOW, by="housing-lead"), Outcome.WITHHOLD_SILENT)

    assert replied(file(), hidden) == replied(file(), judged(outcome=Outcome.WITHHOLD_SILENT))


@pytest.mark.parametrize("outcome", [Outcome.WITHHOLD, Outcome.WITHHOLD_SILENT])
def test_withholding_by_hand_does_not_excuse_the_second_approver_that_the_rules_ask_for(outcome: Outcome) -> None:
    """DIS-22: silence needs a second person; a withhold by hand would be a way around it."""
    own = withheld(candidate(), "NOT_RELEVANT", "", at=NOW, by="housing-lead")

    assert judged(own, outcome, approvals_needed=("second",)).approvals_needed == {"second"}


def test_a_withhold_by_hand_needs_nobody_where_the_rules_would_have_let_it_go() -> None:
    """Not to share is the professional's own decision; who would have had to approve sharing is not asked."""
    own = withheld(candidate(), "NOT_RELEVANT", "", at=NOW, by="housing-lead")

    assert judged(own, Outcome.SHARE, approvals_needed=(LEAD,)).approvals_needed == frozenset()


def test_a_record_that_was_worded_leaves_in_that_wording_though_the_rules_would_share_the_text() -> None:
    """`summarise` promises that it leaves in this wording and in no other."""
    reply = replied(file(), judged(worded(candidate(), "a careful wording", by="housing-lead"), Outcome.SHARE))

    (item,) = reply.response.items
    assert (item.wording, item.summarised) == ("a careful wording", True)


def test_a_visible_refusal_gives_the_grounds_that_settled_it_and_no_other_reason() -> None:
    """The attack: learn of a live investigation from the reasons of a record that is withheld as irrelevant."""
    reply = replied(
        file(),
        judged(outcome=Outcome.WITHHOLD, reasons=("LIVE_INVESTIGATION", "NOT_RELEVANT"), grounds=("NOT_RELEVANT",)),
    )

    assert [refusal.reasons for refusal in reply.response.refusals] == [("NOT_RELEVANT",)]


def test_a_referral_gives_the_grounds_that_settled_it_and_no_other_reason() -> None:
    """Likewise for what belongs to somebody else."""
    reply = replied(
        file(),
        judged(
            outcome=Outcome.REFER_TO_ORIGINATOR,
            reasons=("SOURCE_PROTECTION", "SECOND_HAND"),
            grounds=("SECOND_HAND",),
            refer_to=("police",),
        ),
    )

    assert [referral.reasons for referral in reply.response.referrals] == [("SECOND_HAND",)]


def test_a_professional_who_withholds_gives_only_their_own_ground() -> None:
    """What the rules would have said beside it stays in the building."""
    own = withheld(candidate(), "EXCESSIVE", "", at=NOW, by="housing-lead")
    reply = replied(
        file(), judged(own, Outcome.INDICATE_ONLY, reasons=("LIVE_INVESTIGATION",), grounds=("LIVE_INVESTIGATION",))
    )

    assert [refusal.reasons for refusal in reply.response.refusals] == [("EXCESSIVE",)]
    assert reply.response.indicators == ()
