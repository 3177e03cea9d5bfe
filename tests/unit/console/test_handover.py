"""Who is given which items, named after the attacks on the gate; and that audiences only ever shrink."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.la.console.collation import CollatedItem, Collation
from adapters.la.console.handover import (
    SERVICES,
    Concerns,
    HandoverPack,
    NotAService,
    handover_pack,
    items_for,
    on_screen,
    takeaway,
    warnings_before,
)
from adapters.la.console.register import UseAfterMash
from adapters.la.console.wording import Left
from schemas.content.codes import Audience
from schemas.content.response import Item
from tests.unit.console.ashgrove import ashgrove
from tests.unit.console.office import NOW, answered, collation, decided, item, marking

RECEIVING = Audience.RECEIVING_SERVICE
EVERYBODY = tuple(Audience)
OPEN = ("decision_maker", "assessing_social_worker", "receiving_service")


def _pack(view: Collation, audience: Audience = RECEIVING, **changes: object) -> HandoverPack:
    return handover_pack(  # one set of arguments, of which a test changes those it is about
        view,
        audience=audience,
        made_by="coordinator",
        made_at=NOW,
        through="testford-mash",
        **changes,  # type: ignore[arg-type]  # keyword by keyword from the test
    )


def _names(items: tuple[CollatedItem, ...]) -> list[str]:
    return [one.item.item for one in items]


def _everywhere(view: Collation) -> str:
    """Give everything that anybody outside the decision maker's room could take away, as text."""
    taken = [takeaway(view, audience).model_dump_json() for audience in EVERYBODY if audience != "decision_maker"]
    return "".join(taken) + "".join(_pack(view, audience).model_dump_json() for audience in SERVICES)


def test_the_receiving_service_gets_only_what_its_originator_lists_it_for() -> None:
    """DIS-09: one item names the receiving service, the other does not."""
    view = collation(answered("testford-housing", item("HOU-01", *OPEN), item("HOU-02", "assessing_social_worker")))
    assert _names(items_for(view, "receiving_service")) == ["HOU-01"]
    assert _names(_pack(view).items) == ["HOU-01"]
    assert takeaway(view, RECEIVING).left_out == {Left.AUDIENCE_NOT_LISTED: 1}


@pytest.mark.parametrize("audience", EVERYBODY)
def test_an_item_that_lists_nobody_is_taken_away_by_nobody(audience: Audience) -> None:
    """Attack: an item with an empty list of audiences is printed, exported or handed over. Empty means no."""
    view = collation(answered("testford-housing", item("HOU-01")))
    assert items_for(view, audience) == ()
    assert takeaway(view, audience).left_out


def test_an_item_that_lists_nobody_is_read_on_the_screen_of_the_mash() -> None:
    """The team was answered and may read it; it may only not leave the screen."""
    view = collation(answered("testford-housing", item("HOU-01")))
    assert _names(on_screen(view, Audience.MASH_TEAM).items) == ["HOU-01"]


@pytest.mark.parametrize("audience", ["everybody", "", "Receiving_Service", "mash", "all"])
def test_an_audience_that_nobody_knows_is_given_nothing(audience: str) -> None:
    """Attack: an invented audience, listed by a careless partner, opens the item to whoever claims to be it."""
    view = collation(answered("testford-housing", item("HOU-01", audience, *OPEN)))
    assert items_for(view, audience) == ()


@pytest.mark.parametrize("mark", [{"nature": "intelligence"}, {"grading": "untested source; known indirectly"}])
def test_intelligence_never_reaches_anybody_but_the_decision_maker(mark: dict[str, str]) -> None:
    """Attack: intelligence arrives in the team's section with a list that names everybody (rules §3.4)."""
    graded = item("POL-02", wording="covert wording", marks=marking(*EVERYBODY, **mark))
    view = collation(answered("testford-police", graded))
    assert "covert wording" not in _everywhere(view)
    assert on_screen(view, Audience.MASH_TEAM).left_out == {Left.INTELLIGENCE: 1}
    assert _names(items_for(view, "decision_maker")) == ["POL-02"]


def test_a_sealed_item_never_leaves_for_anybody_but_the_decision_maker() -> None:
    """Attack: the decision maker's collation, sealed parts open, is handed over or printed for the team."""
    sealed = item("POL-03", *EVERYBODY, wording="sealed wording")
    view = collation(answered("testford-police", sealed=(sealed,)), open_sealed=True)
    assert _names(view.items) == ["POL-03"]
    assert "sealed wording" not in _everywhere(view)
    assert on_screen(view, Audience.MASH_TEAM).left_out == {Left.SEALED: 1}
    assert _names(on_screen(view, Audience.DECISION_MAKER).items) == ["POL-03"]


def test_an_item_for_the_decision_maker_alone_is_hidden_from_the_team_wherever_it_arrived() -> None:
    """Attack on ourselves: a partner puts the decision maker's item into the team's section."""
    view = collation(answered("testford-police", item("POL-02", "decision_maker", wording="for one reader")))
    assert "for one reader" not in _everywhere(view)
    assert on_screen(view, Audience.MASH_TEAM).left_out == {Left.DECISION_MAKER_ONLY: 1}


@pytest.mark.parametrize("gsc", ["SECRET", "TOP SECRET", "RESTRICTED", "", "official"])
@pytest.mark.parametrize("audience", EVERYBODY)
def test_a_classification_that_is_unknown_or_too_high_is_given_to_nobody(audience: Audience, gsc: str) -> None:
    """Attack: a SECRET item, or one under an abolished marking, is carried on as if it were OFFICIAL (DIS-16)."""
    view = collation(answered("testford-police", item("POL-09", marks=marking(*EVERYBODY, gsc=gsc))))
    assert items_for(view, audience) == ()
    assert on_screen(view, Audience.DECISION_MAKER).left_out == {Left.CLASSIFICATION: 1}


def test_the_highest_marking_governs_the_pack_and_items_keep_their_own() -> None:
    """DIS-15: one OFFICIAL-SENSITIVE item makes the pack OFFICIAL-SENSITIVE."""
    low = item("HOU-01", marks=marking(*OPEN, gsc="OFFICIAL"))
    view = collation(answered("testford-housing", low, item("HOU-02", *OPEN)))
    pack = _pack(view)
    assert pack.classification == "OFFICIAL-SENSITIVE"
    assert [one.item.marking.gsc for one in pack.items] == ["OFFICIAL", "OFFICIAL-SENSITIVE"]


def test_an_item_that_is_left_out_does_not_raise_the_marking_of_the_pack() -> None:
    """The marking of a pack tells nothing of what is not in it."""
    low = item("HOU-01", marks=marking(*OPEN, gsc="OFFICIAL"))
    view = collation(answered("testford-housing", low, item("HOU-02", "police")))
    assert _pack(view).classification == "OFFICIAL"


def test_a_pack_says_nothing_of_what_was_left_out() -> None:
    """Attack: the receiving service learns from a pack that police hold something (DIS-01)."""
    view = collation(answered("testford-housing", item("HOU-01", *OPEN)))
    more = collation(answered("testford-housing", item("HOU-01", *OPEN), item("x", "police"), item("y")))
    assert _pack(view) == _pack(more)


def test_a_pack_names_its_outcome_and_neither_rationale_nor_next_step() -> None:
    """The rationale may quote a partner, so it stays in the MASH."""
    pack = _pack(collation(decided=decided("strategy_discussion")))
    assert pack.outcome == "strategy_discussion"
    assert "may quote" not in pack.model_dump_json()


def test_a_pack_names_nobody_whom_its_items_are_not_about() -> None:
    """Attack: the receiving service learns from the list of persons who else is in the enquiry."""
    pack = _pack(ashgrove())
    assert set(pack.persons) == {key for one in pack.items for key in one.item.subjects}
    none = _pack(ashgrove().model_copy(update={"items": ()}))
    assert none.persons == {}


def test_early_help_gets_the_concerns_only_where_they_list_it() -> None:
    """DIS-13: the concerns of the referral carry a list of their own, and an empty one means no."""
    view = collation()
    listed = Concerns(wording="hungry at school", onward=("early_help",))
    assert _pack(view, Audience.EARLY_HELP, concerns=listed).concerns == "hungry at school"
    assert _pack(view, Audience.EARLY_HELP, concerns=Concerns(wording="hungry at school")).concerns is None
    assert _pack(view, RECEIVING, concerns=listed).concerns is None


def test_early_help_gets_no_partner_information_that_does_not_list_it() -> None:
    """Attack: the step-down pack takes along what police and health told the MASH (DIS-13)."""
    view = collation(answered("testford-early-help", item("LAC-02", "early_help"), item("POL-01", *OPEN)))
    assert _names(_pack(view, Audience.EARLY_HELP).items) == ["LAC-02"]


@pytest.mark.parametrize("audience", [one for one in EVERYBODY if one not in SERVICES])
def test_a_pack_for_somebody_who_is_no_service_is_not_made(audience: Audience) -> None:
    """Attack: a handover pack addressed to the family or the referrer; they get letters."""
    with pytest.raises(NotAService):
        _pack(collation(), audience)


def test_use_after_the_mash_is_the_strictest_and_adds_no_item_when_loosened() -> None:
    """Overview, decision 3: the agreement says what may be done with a pack, never what is in it."""
    view = collation(answered("testford-housing", item("HOU-01", *OPEN), item("HOU-02", "police")))
    strict, loose = _pack(view), _pack(view, use_after_mash=UseAfterMash.ASSESSMENT)
    assert strict.use_after_mash is UseAfterMash.MASH_ONLY
    assert strict.items == loose.items


def test_a_handed_over_item_names_its_receiver_alone_and_whose_hands_it_went_through() -> None:
    """Receiving is not permission to pass on (SEF §2.6); conditions stay on it."""
    marks = marking(*OPEN, conditions=("refer_back_before_action",), chain=("testford-housing",))
    handed = _pack(collation(answered("testford-housing", item("HOU-01", marks=marks)))).items[0].item.marking
    assert handed.onward == ("receiving_service",)
    assert handed.conditions == ("refer_back_before_action",)
    assert handed.chain == ("testford-housing", "testford-mash")


def test_a_step_down_without_the_family_knowing_is_warned_of() -> None:
    """DIS-12 warns and does not stop; other services need no such warning."""
    assert warnings_before(Audience.EARLY_HELP, family_told=False)[0].startswith("DIS-12")
    assert warnings_before(Audience.EARLY_HELP, family_told=True) == ()
    assert warnings_before(RECEIVING, family_told=False) == ()


ANY_AUDIENCES = st.lists(st.sampled_from([*Audience, "everybody"]), unique=True).map(tuple)
ANY_ITEM = st.builds(
    lambda onward, nature, gsc, grading: item("I", marks=marking(*onward, nature=nature, gsc=gsc, grading=grading)),
    ANY_AUDIENCES,
    st.sampled_from(["fact", "own_words", "intelligence", "allegation"]),
    st.sampled_from(["OFFICIAL", "OFFICIAL-SENSITIVE", "SECRET"]),
    st.sampled_from([None, None, "untested source"]),
)


@given(original=ANY_ITEM, hops=st.lists(st.sampled_from(sorted(SERVICES)), max_size=6), sealed=st.booleans())
def test_audiences_only_shrink_through_any_number_of_hops(original: Item, hops: list[Audience], sealed: bool) -> None:
    """Design, Never 3: hand an item over again and again; it never names anybody whom its originator did not."""
    arrived = answered("testford-housing", *(() if sealed else (original,)), sealed=(original,) if sealed else ())
    view = collation(arrived, open_sealed=True)
    before = set(original.marking.onward)
    for audience in hops:
        items = _pack(view, audience).items
        for one in items:
            assert set(one.item.marking.onward) <= before
            assert audience in original.marking.onward
            assert set(one.item.marking.conditions) >= set(original.marking.conditions)
        before = {name for one in items for name in one.item.marking.onward}
        view = view.model_copy(update={"items": items})


@given(items=st.lists(ANY_ITEM, max_size=6), audience=st.sampled_from(sorted(SERVICES)))
def test_a_pack_holds_what_lists_its_reader_and_nothing_else(items: list[Item], audience: Audience) -> None:
    """For any answer and any service: listed, carried, no intelligence; and nothing that qualifies is lost."""
    numbered = [one.model_copy(update={"item": f"I{number}"}) for number, one in enumerate(items)]
    view = collation(answered("testford-housing", *numbered))
    expected = [
        one.item
        for one in numbered
        if audience in one.marking.onward
        and one.marking.gsc != "SECRET"
        and one.marking.nature != "intelligence"
        and one.marking.grading is None
    ]
    assert _names(_pack(view, audience).items) == expected
