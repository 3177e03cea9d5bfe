"""Letters to the referrer and the family: what they may say, and when none may be written."""

import pytest

from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Enquiry, Form
from adapters.la.console.letters import Letter, NotWritten, Sender, family_letter, referrer_letter
from adapters.la.console.wording import DECISIONS
from schemas.content.rfi import Consent
from tests.unit.console.office import NOW, answered, collation, decided, enquiry, item, marking

SENDER = Sender(name="P. Example", role="MASH team manager", organisation="Testfordshire", telephone="0113 496 0100")


def _referrer(view: Collation, made: Enquiry | None = None) -> Letter | NotWritten:
    return referrer_letter(
        made or enquiry(), view, addressed_to="Meadowbank Test Primary", sender=SENDER, through="mash", now=NOW
    )


def _family(
    view: Collation, made: Enquiry | None = None, agency: str | None = "Family Hub-Test"
) -> Letter | NotWritten:
    return family_letter(
        made or enquiry(),
        view,
        addressed_to="Ms Ashgrove-Test",
        sender=SENDER,
        through="mash",
        now=NOW,
        early_help_agency=agency,
    )


@pytest.mark.parametrize("write", [_referrer, _family])
def test_a_letter_has_no_item_in_it_by_default(write: object) -> None:
    """DIS-11: no pack's list names the family or the referrer, so nothing of the answers is in their letters."""
    shared = item("HOU-01", "decision_maker", "assessing_social_worker", "receiving_service", "early_help", "police")
    letter = write(collation(answered("testford-housing", shared), decided=decided()))  # type: ignore[operator]
    assert isinstance(letter, Letter)
    assert letter.items == ()
    assert "wording of" not in letter.model_dump_json()


@pytest.mark.parametrize("write", [_referrer, _family])
def test_a_letter_never_quotes_the_rationale_or_the_next_step(write: object) -> None:
    """Attack: police information reaches the family through the decision maker's rationale."""
    letter = write(collation(decided=decided()))  # type: ignore[operator]
    assert "may quote" not in letter.model_dump_json()


def test_the_family_letter_states_referral_decision_and_early_help_agency() -> None:
    """SEF A4 §10-11: a MASH referral was made, what was decided, and who offers early help."""
    letter = _family(collation(decided=decided("early_help")))
    assert isinstance(letter, Letter)
    said = " ".join(letter.paragraphs)
    assert "A referral about your family was made" in said
    assert "early help." in said
    assert "Family Hub-Test will offer you early help" in said


def test_the_referrer_is_told_the_outcome_and_nothing_of_the_family() -> None:
    """SLA-04, SLA-05: the outcome in words, and whom to ring; not what other services know."""
    letter = _referrer(collation(decided=decided("no_further_action")))
    assert isinstance(letter, Letter)
    assert "no further action" in " ".join(letter.paragraphs)


def test_an_item_that_lists_the_family_is_in_their_letter_and_narrowed_to_them() -> None:
    """The originator may add the family on request (rules §3.11); the item then goes to the family and nobody else."""
    view = collation(answered("testford-housing", item("HOU-01", "family", "police")), decided=decided())
    letter = _family(view)
    assert isinstance(letter, Letter)
    assert [one.item.marking.onward for one in letter.items] == [("family",)]


@pytest.mark.parametrize("condition", ["no_family_without_police", "no_parent_without_dsl"])
def test_an_item_whose_condition_bars_the_family_is_in_no_letter_although_listed(condition: str) -> None:
    """Attack: list and condition contradict each other; the stricter holds (DIS-03)."""
    marks = marking("family", conditions=(condition,))
    letter = _family(collation(answered("testford-police", item("POL-01", marks=marks)), decided=decided()))
    assert isinstance(letter, Letter)
    assert letter.items == ()


def test_a_confirmed_item_is_in_the_letter_and_a_confirmation_opens_no_list() -> None:
    """DIS-03: police confirm for the family what they list for it; confirming what is not listed opens nothing."""
    police = marking("family", conditions=("no_family_without_police",))
    view = collation(
        answered("testford-police", item("POL-01", marks=police), item("POL-02", "police")), decided=decided()
    )
    letter = family_letter(
        enquiry(),
        view,
        addressed_to="Ms Ashgrove-Test",
        sender=SENDER,
        through="mash",
        now=NOW,
        early_help_agency="Family Hub-Test",
        confirmed={"POL-01", "POL-02"},
    )
    assert isinstance(letter, Letter)
    assert [one.item.item for one in letter.items] == ["POL-01"]


def test_no_letter_goes_to_a_family_that_must_not_be_told() -> None:
    """Attack: a routine letter tells the perpetrator that somebody spoke (LAW-03)."""
    form = Form(consent=Consent(do_not_inform_parent=True))
    refused = _family(collation(decided=decided()), enquiry(form=form))
    assert isinstance(refused, NotWritten)
    assert refused.reasons[0].startswith("LAW-03")


def test_no_letter_goes_to_a_family_before_a_strategy_discussion() -> None:
    """The family is told by the social worker, who knows what it would set off."""
    assert isinstance(_family(collation(decided=decided("strategy_discussion"))), NotWritten)


@pytest.mark.parametrize("agency", [None, "  "])
def test_no_step_down_letter_goes_without_the_name_of_the_agency(agency: str | None) -> None:
    """DIS-11: the letter names the early-help agency, or is not written."""
    assert isinstance(_family(collation(decided=decided("early_help")), agency=agency), NotWritten)


def test_no_letter_goes_to_a_referrer_who_stays_anonymous() -> None:
    """There is nobody to write to, and a letter would give them away."""
    assert isinstance(_referrer(collation(decided=decided()), enquiry(form=Form(anonymous_source=True))), NotWritten)


@pytest.mark.parametrize("write", [_referrer, _family])
@pytest.mark.parametrize("made", [None, decided("something_new")])
def test_no_letter_goes_without_a_decision_that_has_words(write: object, made: object) -> None:
    """An unknown outcome means no letter, and so does no decision."""
    assert isinstance(write(collation(decided=made)), NotWritten)  # type: ignore[operator]


def test_every_outcome_that_can_be_decided_has_words() -> None:
    """Structure: the letters have words for every outcome that the decision maker can record."""
    decision = pytest.importorskip("adapters.la.console.decision", exc_type=ImportError)
    assert set(DECISIONS) == decision.OUTCOMES
