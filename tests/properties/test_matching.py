"""Properties of identity matching that hold for any two entries, and the attacks that each rule is there for."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.gb import nhs, upn

from adapters.kit.lookup.blocking import Block
from adapters.kit.lookup.holdings import HeldPerson
from adapters.kit.lookup.match_weights import CHANCES, DEFAULT_POLICY, weight
from adapters.kit.lookup.matching import Certainty, Match, match, match_unborn
from schemas.content.person import Person

ON = date(2026, 11, 24)
HOME = "4 Example Row, Testford ZZ99 9ZZ"
FORENAMES = ("Tilly", "Matilda", "Rowan", "Carys", "Dean", "")
SURNAMES = ("Ashgrove-Test", "Ashgrove", "Holloway-Test", "Pelham-Test", "")


def numbers(seeds: range) -> list[str]:
    """Give sound numbers of the 999 range, which is never issued."""
    tries = (f"99905{seed:04d}{digit}" for seed in seeds for digit in range(10))
    return [number for number in tries if nhs.is_valid(number)]


def pupil_number(serial: int) -> str:
    body = f"9994000{serial:05d}"
    return f"{upn.calc_check_digit(body)}{body}"


SOUND = numbers(range(6))
UNSOUND = [f"{number[:-1]}{(int(number[-1]) + 1) % 10}" for number in SOUND]
names = st.builds(lambda one, other: f"{one} {other}".strip(), st.sampled_from(FORENAMES), st.sampled_from(SURNAMES))
dates = st.none() | st.sampled_from([date(2017, 3, 14), date(2017, 4, 14), date(1990, 11, 3), date(1990, 3, 11)])
addresses = st.sampled_from(["", HOME, "5 Example Row, Testford ZZ99 9ZZ", "2 Sample Court ZZ99 6ZZ"])
identifiers = st.dictionaries(st.just("nhs_number"), st.sampled_from([*SOUND, *UNSOUND]), max_size=1)
asked_persons = st.builds(
    Person,
    name=names,
    dob=dates,
    address=addresses,
    identifiers=identifiers,
    sex=st.sampled_from([None, "F", "M"]),
    estimated_age=st.none() | st.integers(0, 90),
    life_status=st.sampled_from(["living", "deceased"]),
)
held_persons = st.builds(
    HeldPerson,
    ref=st.just("H1"),
    names=st.lists(names.filter(bool), max_size=2).map(tuple),
    dob=dates,
    died_on=st.none() | st.just(date(2022, 1, 19)),
    sex=st.sampled_from([None, "F", "M"]),
    addresses=st.lists(addresses.filter(bool), max_size=2).map(tuple),
    identifiers=identifiers,
)


def compare(asked: Person, held: HeldPerson, *, family: bool = False) -> Match:
    return match(asked, held, on=ON, family=family)


@given(asked_persons, held_persons, st.booleans())
def test_match_confirms_nobody_by_household_features_alone(asked: Person, held: HeldPerson, family: bool) -> None:
    """A confirmed match rests on a number, or on the whole name with a date of birth or a confirmed child's file."""
    found = compare(asked, held, family=family)
    if found.certainty is not Certainty.CONFIRMED:
        return
    levels = found.levels
    by_number = levels.get("nhs_number") == "same" and "same" in (levels.get("forename"), levels.get("dob"))
    whole_name = levels.get("forename") == levels.get("surname") == "same"
    assert by_number or (whole_name and (levels.get("dob") == "same" or family))


@given(asked_persons, held_persons, st.booleans())
def test_match_never_confirms_when_a_number_fails_its_check_or_differs(
    asked: Person, held: HeldPerson, family: bool
) -> None:
    """A wrong check digit, or two sound numbers that differ, leave it to a person however much else agrees."""
    found = compare(asked, held, family=family)
    if found.levels.get("nhs_number") in ("unsound", "differs"):
        assert found.certainty is not Certainty.CONFIRMED


@given(asked_persons, held_persons)
def test_match_never_confirms_the_living_when_the_agency_knows_them_dead(asked: Person, held: HeldPerson) -> None:
    """Somebody known as dead is not silently the living person asked about."""
    if held.died_on is not None and asked.life_status != "deceased":
        assert compare(asked, held).certainty is not Certainty.CONFIRMED


@given(asked_persons, held_persons)
def test_match_holds_nobody_certain_below_its_thresholds(asked: Person, held: HeldPerson) -> None:
    """The thresholds are the policy's, and certainty never exceeds what they allow."""
    found = compare(asked, held)
    if found.score < DEFAULT_POLICY.possible:
        assert found.certainty is Certainty.NONE
    if found.score < DEFAULT_POLICY.confirm:
        assert found.certainty is not Certainty.CONFIRMED


@given(asked_persons, held_persons)
def test_match_explains_every_feature_that_both_sides_give(asked: Person, held: HeldPerson) -> None:
    """What was compared is either agreed or disagreed, by name and never by value."""
    found = compare(asked, held)
    explained = " ".join((*found.agreed, *found.disagreed))
    assert all(feature in explained for feature in found.levels)
    assert not any(value in explained for value in (*SOUND, *UNSOUND, HOME))


@given(asked_persons, held_persons)
@settings(max_examples=300)
def test_block_passes_over_nobody_who_would_match(asked: Person, held: HeldPerson) -> None:
    """Speed must not cost a match: whoever is passed over would have been no match."""
    if compare(asked, held).certainty is not Certainty.NONE:
        assert Block([asked]).lets_through(held)


@given(st.dates(), st.dates())
def test_block_lets_every_near_date_through(one: date, other: date) -> None:
    """Two dates that differ in one part, or have day and month swapped, are compared."""
    asked, held = Person(name="A B-Test", dob=one), HeldPerson("H", ("C D-Test",), other)
    if compare(asked, held).levels["dob"] != "differs":
        assert Block([asked]).lets_through(held)


def test_block_passes_over_a_stranger() -> None:
    """The block is there to pass over: somebody with nothing near is not compared."""
    stranger = HeldPerson("H", ("Ottilie Zwick-Test",), date(1950, 7, 30), addresses=("9 Far Road ZZ99 1ZZ",))
    assert not Block([TILLY]).lets_through(stranger)


@given(asked_persons, held_persons)
def test_match_is_the_same_when_asked_again(asked: Person, held: HeldPerson) -> None:
    """The same two entries give the same answer (invariant 5)."""
    assert compare(asked, held) == compare(asked, held)


@given(asked_persons, held_persons)
@settings(max_examples=60)
def test_match_gives_less_evidence_when_a_sound_number_is_made_to_differ(asked: Person, held: HeldPerson) -> None:
    """Disagreement never adds."""
    same = {"nhs_number": SOUND[0]}
    agreeing = held_with(held, same)
    differing = held_with(held, {"nhs_number": SOUND[1]})
    asked = asked.model_copy(update={"identifiers": same})
    assert compare(asked, differing).score < compare(asked, agreeing).score


def held_with(held: HeldPerson, identifiers: dict[str, str]) -> HeldPerson:
    return HeldPerson(held.ref, held.names, held.dob, sex=held.sex, addresses=held.addresses, identifiers=identifiers)


@given(st.integers(-400, 400))
def test_match_finds_the_unborn_child_only_as_surely_as_the_mother(days: int) -> None:
    """The expected date confirms within three weeks; further apart a person has to look."""
    asked = Person(edd=date(2027, 2, 10), mother="carys", life_status="unborn")
    held = HeldPerson("U1", edd=date(2027, 2, 10) + timedelta(days=days), mother_ref="M1")
    for certainty in Certainty:
        found = match_unborn(asked, held, mother=Match(certainty, 30.0, {}))
        close = abs(days) <= DEFAULT_POLICY.edd_days
        expected = certainty if close or certainty is Certainty.NONE else Certainty.POSSIBLE
        assert found.certainty is expected


def test_match_finds_no_unborn_child_without_the_mother() -> None:
    """An expected date alone is shared by every child due that week."""
    asked = Person(edd=date(2027, 2, 10), mother="carys", life_status="unborn")
    assert match_unborn(asked, HeldPerson("U1", edd=asked.edd), mother=None).certainty is Certainty.NONE


def test_weights_reward_agreement_and_punish_disagreement_for_every_feature() -> None:
    """In each row of the table, m and u are chances, and the levels go from much evidence for to evidence against."""
    for feature, levels in CHANCES.items():
        assert all(0 < m < 1 and 0 < u < 1 for m, u in levels.values())
        assert weight(feature, "same") > 0 > weight(feature, "differs")
        in_order = [weight(feature, level) for level in ("same", "similar", "differs") if level in levels]
        assert in_order == sorted(in_order, reverse=True)


TILLY = Person(
    name="Tilly Ashgrove-Test",
    dob=date(2017, 3, 14),
    address=HOME,
    identifiers={"nhs_number": SOUND[0], "upn": pupil_number(24002)},
)


@pytest.mark.parametrize(
    ("attack", "held", "expected"),
    [
        ("address alone", HeldPerson("H", addresses=(HOME,)), "possible"),
        ("surname alone", HeldPerson("H", ("Ashgrove-Test",)), "possible"),
        ("surname and address", HeldPerson("H", ("Ashgrove-Test",), addresses=(HOME,)), "possible"),
        ("sibling at home", HeldPerson("H", ("Rowan Ashgrove-Test",), date(2020, 8, 2), addresses=(HOME,)), "none"),
        ("sibling, no date", HeldPerson("H", ("Rowan Ashgrove-Test",), addresses=(HOME,)), "none"),
        ("twin", HeldPerson("H", ("Molly Ashgrove-Test",), date(2017, 3, 14), addresses=(HOME,)), "possible"),
        ("namesake elsewhere", HeldPerson("H", ("Tilly Ashgrove-Test",), date(1958, 6, 21)), "possible"),
        ("whole name alone", HeldPerson("H", ("Tilly Ashgrove-Test",)), "possible"),
        ("name and birthday", HeldPerson("H", ("ASHGROVE-TEST, Tilly",), date(2017, 3, 14)), "confirmed"),
        ("long form", HeldPerson("H", ("Matilda Ashgrove Test",), date(2017, 3, 14), addresses=(HOME,)), "possible"),
        ("alias", HeldPerson("H", ("Tilly Marsh-Test", "Tilly Ashgrove-Test"), date(2017, 3, 14)), "confirmed"),
        ("day and month swapped", HeldPerson("H", ("Tilly Ashgrove-Test",), date(2017, 3, 4)), "possible"),
        (
            "number and birthday",
            HeldPerson("H", (), date(2017, 3, 14), identifiers={"nhs_number": SOUND[0]}),
            "confirmed",
        ),
        ("number alone", HeldPerson("H", identifiers={"nhs_number": SOUND[0]}), "possible"),
        (
            "number on another's record",
            HeldPerson("H", ("Dean Holloway-Test",), date(1990, 11, 3), identifiers={"nhs_number": SOUND[0]}),
            "possible",
        ),
        (
            "everything but the number",
            HeldPerson(
                "H",
                ("Tilly Ashgrove-Test",),
                date(2017, 3, 14),
                addresses=(HOME,),
                identifiers={"nhs_number": SOUND[1]},
            ),
            "possible",
        ),
        (
            "wrong check letter",
            HeldPerson(
                "H", ("Tilly Ashgrove-Test",), date(2017, 3, 14), identifiers={"upn": f"C{pupil_number(24002)[1:]}"}
            ),
            "possible",
        ),
        (
            "wrong check letter beside a right number",
            HeldPerson(
                "H",
                ("Tilly Ashgrove-Test",),
                date(2017, 3, 14),
                identifiers={"upn": f"C{pupil_number(24002)[1:]}", "nhs_number": SOUND[0]},
            ),
            "possible",
        ),
        ("unborn entry", HeldPerson("H", ("Tilly Ashgrove-Test",), edd=date(2027, 2, 10)), "none"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_match_is_as_sure_as_it_may_be_when_somebody_looks_like_the_child(
    attack: str, held: HeldPerson, expected: str
) -> None:
    """Each row is a way to take one child for another."""
    assert compare(TILLY, held).certainty.value == expected, attack


def test_match_survives_names_in_other_scripts_and_empty_ones() -> None:
    """A name that cannot be levelled to letters is still compared, never an error."""
    odd = ("", "-", "王小明", "Ó Súilleabháin", "  ", "x" * 500, "O'Neil-Test", "\u202eTest")
    for one, other in product(odd, odd):
        found = compare(Person(name=one, dob=TILLY.dob), HeldPerson("H", (other,), TILLY.dob))
        assert found.certainty in Certainty
    assert compare(Person(name="Seán Ó Néill", dob=TILLY.dob), HeldPerson("H", ("Sean O Neill",), TILLY.dob)).certainty
