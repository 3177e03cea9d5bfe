"""The catalogue of questions: a sender cannot invent the marks by which confidence is overridden."""

from adapters.kit.questions import as_agreed, asked_by_default, catalogue
from schemas.agency import AGENCY_KINDS
from schemas.content.rfi import Question
from tests.support.ashgrove import request_to


def test_marks_that_a_sender_invented_are_stripped_from_an_agreed_question() -> None:
    """The attack: mark a question about arrears as protecting a child, and confidence falls."""
    code = "tenancy_stability"
    forged = Question(text="arrears", protects=True, any_age=True, alert=("urgent_content",))
    request = request_to("housing").model_copy(update={"questions": {code: forged}})

    assert as_agreed(request).questions[code] == catalogue()[code]


def test_a_question_outside_the_catalogue_keeps_its_text_and_loses_every_mark() -> None:
    """It may be asked; it overrides nothing."""
    forged = Question(text="anything else?", protects=True, any_age=True, alert=("re_rate",))
    request = request_to("housing").model_copy(update={"questions": {"anything": forged}})

    assert as_agreed(request).questions["anything"] == Question(text="anything else?")


def test_every_kind_of_agency_is_asked_something_that_is_in_the_catalogue() -> None:
    """RFI-09: a default that named an unknown code would ask nothing."""
    for kind in AGENCY_KINDS:
        assert asked_by_default(kind)
        assert set(asked_by_default(kind)) <= set(catalogue())


def test_an_unknown_kind_is_asked_nothing_by_default() -> None:
    """An unknown value means no."""
    assert asked_by_default("circus") == ()
