"""What comes from outside is read so that nothing unreadable is lost: it closes, it is not repaired."""

from typing import Any

import pytest

from adapters.kit.disclosure.cases import CaseFileError, case_from_plain, disagreements, overlaid, read_cases
from adapters.kit.disclosure.reading import RequestUnreadableError, read_record, read_request
from tests.unit.disclosure.asking import CASES, a_request, decided, plain_record

ENOUGH = {"enquiry": "E", "issued_at": "2026-11-24T10:00:00+00:00", "recipient": {"agency": "fire"}}


def test_a_whole_record_has_nothing_unreadable() -> None:
    """An ordinary record is not held up."""
    assert read_record(plain_record()).unreadable == ()


@pytest.mark.parametrize(
    ("fields", "unreadable"),
    [
        ({"event_on": "soon"}, ("event_on",)),
        ({"nature": None}, ("nature",)),
        ({"subjects": None, "category": 3}, ("category", "subjects")),
        ({"shoe_size": 9}, ("shoe_size",)),
        ({"grading": {"source": 1, "colour": "red"}}, ("grading",)),
        ({"grading": {"conditions": "not a list"}}, ("grading",)),
        ({"unreadable": ["text"]}, ("text",)),
        ({"unreadable": 7}, ("unreadable",)),
        ({"unreadable": "text"}, ("unreadable",)),
        ({"unreadable": None}, ()),
        ({"summary": None, "originator": None, "event_on": None, "grading": None}, ()),
        ({"record_id": None, "recorded_on": None, "source": None}, ()),
    ],
)
def test_a_record_names_what_could_not_be_read(fields: dict[str, Any], unreadable: tuple[str, ...]) -> None:
    """The rules treat each of them as an unknown thing (§3.1a)."""
    assert read_record(plain_record(**fields)).unreadable == unreadable


def test_a_record_of_nothing_is_read_and_closed() -> None:
    """An empty row of somebody's database is a record of which everything is unknown."""
    assert read_record({}).record_type == ""


def test_a_request_lacks_what_could_not_be_read() -> None:
    """A field that cannot be read is a gap that the rules list."""
    request = read_request({**ENOUGH, "reason": 7, "persons": {"ivy": {"dob": "never", "name": "Ivy"}, "x": "y"}})

    assert request.reason is None
    assert list(request.persons) == ["ivy"]
    assert request.persons["ivy"].dob is None


@pytest.mark.parametrize("value", [None, "", 7, [], {}])
def test_an_addressee_that_cannot_be_read_is_nobody(value: object) -> None:
    """The default addressee stands where none was named, not where one was and could not be read."""
    assert read_request({**ENOUGH, "audience": value}).audience == ""
    assert read_request(ENOUGH).audience == "mash_team"


@pytest.mark.parametrize("value", [None, "", 7, [], {}])
def test_a_life_status_that_cannot_be_read_is_not_life(value: object) -> None:
    """Information about somebody who has died is in confidence."""
    assert read_request({**ENOUGH, "persons": {"a": {"life_status": value}}}).persons["a"].life_status == ""
    assert read_request({**ENOUGH, "persons": {"a": {}}}).persons["a"].life_status == "living"


@pytest.mark.parametrize("lost", sorted(ENOUGH))
def test_a_request_that_lacks_what_makes_it_one_cannot_be_read(lost: str) -> None:
    """Which enquiry, when, and whom: without these it is no request."""
    with pytest.raises(RequestUnreadableError):
        read_request({name: value for name, value in ENOUGH.items() if name != lost})


def test_what_was_cleared_is_missing() -> None:
    """An empty word where nothing was said would be a gap of its own: a regime that nobody knows."""
    request = read_request({**ENOUGH, "reason": None, "recipient": {"agency": "fire", "regime": None}})

    assert (request.reason, request.recipient.regime) == (None, None)


def test_an_unreadable_question_is_no_question() -> None:
    """A bad entry of a list does not take the others with it."""
    request = a_request(recipients={"fire": {"questions": ["plain", 7, None, "harm"]}})

    assert request.recipient.questions == ("plain", "harm")


def test_a_question_without_its_words_does_not_take_the_others_with_it() -> None:
    """What is missing cannot be taken away, so the innermost thing that lacks it is."""
    questions = {"a": {"protects": True}, "b": {"text": "Is there a fire alarm?"}}

    assert list(read_request({**ENOUGH, "questions": questions}).questions) == ["b"]


@pytest.mark.parametrize(("bad", "is_read"), [(199, True), (200, False)])
def test_a_request_of_which_hardly_anything_can_be_read_is_none(bad: int, is_read: bool) -> None:
    """The attack: a request of so many bad values that reading it keeps the adapter from everybody else's."""
    plain = {**ENOUGH, "gateways": [*([7] * bad), "ca2004_s10"]}

    if is_read:
        assert read_request(plain).gateways == ("ca2004_s10",)
        return
    with pytest.raises(RequestUnreadableError):
        read_request(plain)


def test_what_was_cleared_in_a_list_needs_no_repair() -> None:
    """A null clears a value, there as in a map, however many there are."""
    assert read_request({**ENOUGH, "gateways": [*([None] * 300), "ca2004_s10"]}).gateways == ("ca2004_s10",)


def test_laying_over_merges_maps_and_replaces_everything_else() -> None:
    """As the case files say: maps key by key, lists and scalars replace, null clears."""
    below = {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 3}

    assert overlaid(below, {"a": {"b": 9}, "d": [5], "e": None}) == {"a": {"b": 9, "c": 2}, "d": [5], "e": None}
    assert overlaid(below, {}) == below
    assert overlaid(None, {"x": 1}) == {"x": 1}


@pytest.mark.parametrize(
    ("expect", "agrees"),
    [
        ({}, True),
        ({"outcome": "share"}, True),
        ({"outcome": "withhold"}, False),
        ({"reasons": ["RELEVANT_NECESSARY"]}, True),
        ({"reasons": ["DRAFT"]}, False),
        ({"reasons": []}, False),
        ({"alert": []}, True),
        ({"onward": ["assessing_social_worker", "receiving_service", "decision_maker"]}, True),
        ({"onward": ["decision_maker"]}, False),
        ({"never": ["family"]}, True),
        ({"never": ["family", "decision_maker"]}, False),
        ({"approvals_needed": []}, False),
        ({"bounce": "INCOMPLETE_RFI"}, False),
        ({"bounce": None, "refer_to": None}, True),
        ({"refer_to": "police"}, False),
        ({"outcomes": "share"}, False),
    ],
)
def test_a_case_is_compared_as_its_format_says(expect: dict[str, Any], agrees: bool) -> None:
    """Whole sets, codes among those given, an empty list for none; a field that nobody knows is a mistake."""
    assert (list(disagreements(decided(), expect=expect)) == []) is agrees


@pytest.mark.parametrize(
    "plain",
    [None, [], {"agency": "fire"}, {"record": {}}, {"agency": "fire", "record": {}, "rfi": [1]}],
)
def test_what_is_no_case_is_not_decided(plain: object) -> None:
    """A case has an agency and a record."""
    with pytest.raises(CaseFileError):
        case_from_plain(plain, context={})


def test_a_file_of_no_cases_is_no_case_file(tmp_path: Any) -> None:
    """An empty file agrees with everything, so it may not pass for a check."""
    (tmp_path / "none.yaml").write_text("[]")
    with pytest.raises(CaseFileError):
        read_cases(tmp_path / "none.yaml")
    with pytest.raises(CaseFileError):
        read_cases(tmp_path / "absent.yaml")


def test_our_own_cases_can_be_read() -> None:
    """They lie beside their shared request, as everybody's do."""
    assert len(read_cases(CASES / "packs.yaml")) > 30
