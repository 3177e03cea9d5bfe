"""The small computations that rules rest on: days, ages, wordings, and whose a record is."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.agency_facts import ORIGINATORS
from adapters.kit.disclosure.dates import age_on, london_day, months_before
from adapters.kit.disclosure.facts import needs_four_eyes
from adapters.kit.disclosure.provenance import provenance
from adapters.kit.disclosure.wording import wording_state
from schemas.content.person import Person
from tests.unit.disclosure.asking import a_record, decided


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 24), 24, date(2024, 11, 24)),
        (date(2026, 1, 31), 2, date(2025, 11, 30)),
        (date(2028, 2, 29), 24, date(2026, 2, 28)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 1), 12, date(2025, 12, 1)),
    ],
)
def test_months_are_counted_back_by_the_calendar(day: date, months: int, before: date) -> None:
    """A window of months has no fixed number of days."""
    assert months_before(day, months) == before


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2026, 11, 23), 12),
        (date(2026, 11, 24), 13),
        (date(2026, 12, 31), 13),
        (date(2026, 1, 1), 12),
    ],
)
def test_a_year_of_age_is_reached_on_the_birthday(day: date, age: int) -> None:
    """From the thirteenth birthday on a limit for under thirteen no longer holds (§6.17)."""
    assert age_on(day, born=date(2013, 11, 24)) == age


def test_who_is_born_on_a_leap_day_is_older_on_the_first_of_march() -> None:
    """The later day keeps a child under the limit for longer."""
    assert age_on(date(2025, 2, 28), born=date(2012, 2, 29)) == 12
    assert age_on(date(2025, 3, 1), born=date(2012, 2, 29)) == 13


def test_a_day_is_the_day_in_london() -> None:
    """In summer the last hour of a day in UTC is the next day in London (§6.20)."""
    assert london_day(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == date(2026, 7, 1)
    assert london_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2026, 12, 31)


def test_a_moment_without_a_zone_has_no_day() -> None:
    """A guess of the zone would move a child's birthday."""
    with pytest.raises(ValueError, match="zone"):
        london_day(datetime(2026, 6, 30, 23, 30))  # noqa: DTZ001 - the naive moment is the attack


PERSONS = {
    "gran": Person(name="Edna Birchwood-Test", aliases=("Nan Moss-Test",)),
    "nameless": Person(),
}


@pytest.mark.parametrize(
    ("summary", "unnamed", "state"),
    [
        (None, [], "none"),
        ("", [], "none"),
        (" \n", [], "none"),
        ("a fire", [], "usable"),
        ("a fire", ["other:Una Vale-Test"], "usable"),
        ("Una Vale-Test saw it", ["other:Una Vale-Test"], "names_somebody"),
        ("UNA saw it", ["other:Una Vale-Test"], "names_somebody"),
        ("vale-test saw it", ["other:Una Vale-Test"], "names_somebody"),
        ("Una-Mae saw it", ["other:Una Vale-Test"], "names_somebody"),
        ("una_saw_it", ["other:Una Vale-Test"], "names_somebody"),
        ("tuna was burnt", ["other:Una Vale-Test"], "usable"),
        ("unaware of it", ["other:Una Vale-Test"], "usable"),
        ("a positive test", ["other:Una Vale-Test"], "usable"),
        ("Dr Moss saw it", ["other:Dr Vale-Test"], "usable"),
        ("Éloïse saw it", ["other:éloïse Vale-Test"], "names_somebody"),
        ("the neighbour saw it", ["other:neighbour"], "names_somebody"),
        ("somebody saw it", ["other:"], "names_somebody"),
        ("somebody saw it", ["other:Mr"], "names_somebody"),
        ("a key", ["uncle"], "usable"),
        ("uncle saw it", ["uncle"], "names_somebody"),
        ("edna saw it", ["gran"], "names_somebody"),
        ("Nan saw it", ["gran"], "names_somebody"),
        ("Mrs Birchwood-Test saw it", ["gran"], "usable"),
        ("somebody saw it", ["nameless"], "names_somebody"),
        ("a meal al fresco", ["other:Una Al-Khan-Test"], "usable"),
        ("Lee saw it", ["other:Una Vale-Lee-Test"], "names_somebody"),
        ("the door was open", ["other:next-door"], "usable"),
        ("Xavier saw it", ["other:Xavier Vale-Test"], "names_somebody"),
        ("Una\n Vale-Test saw it", ["other:Una Vale-Test"], "names_somebody"),
        ("C++ (Una) [x]", ["other:Una (a.k.a. [x]) Vale-Test"], "names_somebody"),
    ],
)
def test_a_wording_is_searched_for_the_names_that_it_must_not_bear(
    summary: str | None, unnamed: list[str], state: str
) -> None:
    """A forename as a word gives a person away; letters inside another word do not (§6.16)."""
    assert wording_state(summary, unnamed=unnamed, persons=PERSONS) == state


@pytest.mark.parametrize("title", ["Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Sir", "Prof"])
def test_a_title_names_nobody(title: str) -> None:
    """Else every wording that mentions a doctor would have to be written again; the name beside it still counts."""
    outside = [f"other:{title.upper()}. Una Vale-Test"]

    assert wording_state(f"{title} Jones saw it", unnamed=outside, persons=PERSONS) == "usable"
    assert wording_state(f"{title} Vale saw it", unnamed=outside, persons=PERSONS) == "names_somebody"


@pytest.mark.parametrize(("text", "summary"), [("a fire", "ein Feuer"), ("Zoë", "")])
def test_a_records_words_are_known_by_a_hash_that_can_be_computed(text: str, summary: str) -> None:
    """What was decided on is told in another year by the record: its text after eight bytes of length, its wording."""
    told = len(text.encode()).to_bytes(8, "big") + text.encode() + summary.encode()

    seen = json.loads(decided(text=text, summary=summary).facts)
    assert seen["content_sha256"] == hashlib.sha256(told).hexdigest()


@pytest.mark.parametrize("audience", ["mash_team", "police"])
def test_what_a_decision_rested_on_is_written_in_one_order(audience: str) -> None:
    """The hash is of these bytes: another order or another spelling of the same facts would be another hash."""

    def sorted_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert [name for name, _ in pairs] == sorted(name for name, _ in pairs)
        return dict(pairs)

    facts = decided(rfi={"audience": audience}, mentions=["other:Zoë Vale-Test"], record_type="thé").facts
    plain = json.loads(facts, object_pairs_hook=sorted_keys)

    assert "Zoë" in facts
    assert "thé" in facts
    assert set(plain) == {"content_sha256", "lists", "record", "request"}
    assert plain["lists"]["outsiders"] == ["other:Zoë Vale-Test"]


@pytest.mark.parametrize(
    ("audience", "listed"),
    [
        ("mash_team", []),
        ("decision_maker", []),
        ("police", ["assessing_social_worker", "decision_maker", "receiving_service"]),
    ],
)
def test_who_might_receive_a_record_is_asked_only_for_an_addressee_outside_the_team(
    audience: str, listed: list[str]
) -> None:
    """§6.18: the team needs no list to be on, so what is decided for it rests on none."""
    seen = json.loads(decided(rfi={"audience": audience}).facts)["request"]

    assert seen["addressee"] == audience
    assert sorted(seen["onward_if_shared"]) == listed


@pytest.mark.parametrize(
    ("kind", "fields", "controllers"),
    [
        ("fire", {}, ()),
        ("fire", {"originator": "fire"}, ()),
        ("fire", {"originator": ""}, ()),
        ("fire", {"originator": "police"}, ("police",)),
        ("fire", {"flags": ["marac"], "originator": "police"}, ("marac",)),
        ("fire", {"flags": ["marac", "mappa"]}, ("marac",)),
        ("fire", {"flags": ["mappa"]}, ("mappa",)),
        ("police", {"flags": ["mappa"]}, ()),
        ("police", {"flags": ["mappa"], "originator": "probation"}, ("mappa",)),
        ("police", {"flags": ["mappa"], "obtained": "meeting"}, ("mappa",)),
        ("police", {"category": "police_intelligence"}, ()),
        ("fire", {"category": "police_intelligence", "originator": "la"}, ("police",)),
        ("idva", {"record_type": "police_log", "originator": "idva"}, ("police",)),
    ],
)
def test_only_the_agency_that_controls_information_may_release_it(
    kind: str, fields: dict[str, object], controllers: tuple[str, ...]
) -> None:
    """Whose a record is depends on where it came from, not on who holds it (§3.3, §3.5)."""
    record = a_record(**fields)
    origin = provenance(record, agency=load_pack(kind).agency, flags=frozenset(record.flags))

    assert origin.controllers == controllers


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ({}, []),
        ({"originator": "the_neighbours"}, ["originator"]),
        ({"obtained": "meeting"}, ["originator"]),
        ({"contains_other_origin": ["the_neighbours"]}, ["contains_other_origin"]),
        ({"contains_other_origin": sorted(ORIGINATORS)}, []),
        ({"record_type": "tea_leaves", "flags": ["thicket"]}, ["flags", "record_type"]),
        ({"rfi": {"audience": "newspaper"}}, ["audience"]),
        ({"grading": {"source": 9, "assessment": "A", "handling": "P"}}, ["grading"]),
        ({"event_on": "last week", "colour": "red"}, ["colour", "event_on"]),
        *(({name: "no such thing"}, [name]) for name in ("category", "nature", "obtained", "gsc", "match", "consent")),
    ],
)
def test_what_is_unknown_is_named_for_whoever_has_to_code_it_again(fields: dict[str, Any], unknown: list[str]) -> None:
    """§3.1a: the lead who is asked learns which field it is, and is not sent to look for it."""
    seen = json.loads(decided(**fields).facts)["record"]["unknown"]

    assert [name for name in seen if fields.get("obtained") != "no such thing" or name != "originator"] == unknown


@pytest.mark.parametrize(
    ("subjects", "consent", "stance"),
    [
        (["len"], "refused", "void"),
        (["len"], "given", "void"),
        (["len", "nora"], "given", "void"),
        (["len", "nora"], "refused", "refused"),
        (["nora"], "given", "given"),
    ],
)
def test_the_stance_of_the_dead_counts_for_nothing(subjects: list[str], consent: str, stance: str) -> None:
    """§6.14: neither way; and the consent of somebody living is no word for the dead beside them."""
    assert json.loads(decided(subjects=subjects, consent=consent).facts)["record"]["stance"] == stance


@pytest.mark.parametrize(
    ("age", "young"),
    [
        ({"estimated_age": 12}, True),
        ({"estimated_age": 13}, False),
        ({"estimated_age": None}, True),
        ({"estimated_age": None, "edd": "2027-03-01"}, True),
    ],
)
def test_a_child_is_young_until_the_thirteenth_birthday_by_an_estimate_too(age: dict[str, Any], young: bool) -> None:
    """§6.17: a child of unknown age counts as young, since a missed alert is the worse mistake."""
    seen = json.loads(decided(rfi={"rag": "RED", "persons": {"pat": age}}, subjects=["pat"]).facts)["record"]

    assert seen["about_child_under_13"] is young


SENSITIVE: dict[str, tuple[str, dict[str, Any]]] = {
    "is graded": ("fire", {"grading": {"source": 2, "assessment": "A", "handling": "P"}}),
    "is intelligence": ("fire", {"nature": "intelligence"}),
    "is in confidence": ("fire", {"in_confidence": True}),
    "bears a flag": ("fire", {"flags": ["acquittal"]}),
    "is of the category police_intelligence": ("fire", {"category": "police_intelligence"}),
    "is of the category sex_life": ("fire", {"category": "sex_life"}),
    "goes against a refusal": ("fire", {"consent": "refused"}),
    "goes against a withdrawal": ("fire", {"consent": "withdrawn"}),
    "is held by an adviser, all of whose notes are in confidence": ("idva", {"record_type": "case_note"}),
    "is of a type that is in confidence": ("health", {"record_type": "adult_clinical"}),
    "is of a type that implies a flag": ("health", {"record_type": "sexual_health"}),
    "is of a type that has to be graded": ("police", {"record_type": "intelligence_report"}),
    "is of a type that nobody knows": ("fire", {"record_type": "tea_leaves"}),
}


@pytest.mark.parametrize(("kind", "fields"), SENSITIVE.values(), ids=SENSITIVE)
def test_author_and_approver_differ_where_a_record(kind: str, fields: dict[str, Any]) -> None:
    """RSP-19: what its holder and its type make of it counts; the attack is to word and approve it alone."""
    assert needs_four_eyes(a_record(**fields), agency=load_pack(kind).agency)


@pytest.mark.parametrize(
    ("kind", "record_type"), [("fire", "incident_report"), ("health", "maternity"), ("police", "crime")]
)
def test_an_ordinary_record_may_be_worded_and_approved_by_one_person(kind: str, record_type: str) -> None:
    """The high classes are some, not all; consent that was given makes none."""
    ordinary = a_record(record_type=record_type, consent="given")

    assert not needs_four_eyes(ordinary, agency=load_pack(kind).agency)
