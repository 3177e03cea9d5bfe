"""What is printed, read back out of the PDF: every item with its marking on every sheet, nothing sealed, all logged."""

import hashlib
import re
from datetime import timedelta

from adapters.la.console import legible
from adapters.la.console.collation import Collation
from adapters.la.console.handover import Concerns, handover_pack
from adapters.la.console.letters import Letter, Sender, family_letter
from adapters.la.console.pack import Printed, collation_pdf, handover_pdf, letter_pdf
from adapters.la.console.register import UseAfterMash
from adapters.la.console.wording import CONDITIONS
from schemas.content.codes import Audience
from tests.unit.console.ashgrove import ashgrove
from tests.unit.console.office import NOW, answered, collation, decided, enquiry, item, marking
from tests.unit.console.printing import pages_of, print_collation, print_one, squeezed, text_of

SENDER = Sender(name="P. Example", role="MASH team manager", organisation="Testfordshire", telephone="0113 496 0100")


def _handover(view: Collation, **changes: object) -> Printed:
    pack = handover_pack(
        view,
        audience=Audience.RECEIVING_SERVICE,
        made_by="P. Example",
        made_at=NOW,
        through="testford-mash",
        **changes,  # type: ignore[arg-type]  # keyword by keyword from the test
    )
    return handover_pdf(pack, printed_by="P. Example", printed_at=NOW)


def test_every_item_is_printed_whole_with_its_marking_in_full() -> None:
    """Wording, classification, audiences, every condition and whose it is stand with each item (DIS-14, DIS-15)."""
    view = ashgrove()
    text = text_of(print_collation(view))
    for one in view.items:
        assert squeezed(legible.on_paper(one.item.wording)) in text
        assert f"Item{one.item.item}." in text
        assert all(squeezed(CONDITIONS[code]) in text for code in one.item.marking.conditions)
    assert text.count("OFFICIAL-SENSITIVE·Maygoto") == len(view.items)


def test_every_sheet_bears_marking_handling_legend_and_who_printed_it() -> None:
    """DIS-14: no sheet is unmarked, whichever is taken out of the pile."""
    pages = pages_of(print_collation(ashgrove(open_sealed=True, decided=decided())))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert page.count("OFFICIAL-SENSITIVE") >= 2
        assert "Handling:forthedecisionmakeronly" in page
        assert "Uncontrolledcopywhenprinted" in page
        assert "PrintedbyP.ExampleonTue24Nov202618:40." in page
        assert f"Page{number}of{len(pages)}" in page


def test_a_sealed_item_is_not_on_the_team_s_paper() -> None:
    """Attack: the decision maker has opened it, and the team prints the collation."""
    opened = ashgrove(open_sealed=True)
    for view in (ashgrove(), opened.model_copy(update={"reader": Audience.MASH_TEAM})):
        printed = print_collation(view)
        assert "controlleddrugs" not in text_of(printed)
        assert "Awarrantisplanned" not in text_of(printed)
        assert {"POL-02", "POL-03"}.isdisjoint(printed.items)
    assert "controlleddrugs" in text_of(print_collation(opened))


def test_an_item_that_lists_nobody_is_on_no_paper_and_the_reader_is_told_that_something_is_missing() -> None:
    """Attack: what may not leave the screen leaves it on paper. Even the decision maker's print goes without it."""
    text = text_of(print_collation(ashgrove(open_sealed=True)))
    assert "Awarrantisplanned" not in text
    assert squeezed("1 not shown: the originator names nobody: it stays on the screen.") in text


def test_a_secret_item_is_on_no_paper() -> None:
    """Attack: a classification above what the broker carries is printed under a lower marking (DIS-16)."""
    view = collation(answered("testford-police", item("P", marks=marking("police", gsc="SECRET"))))
    printed = print_collation(view.model_copy(update={"reader": Audience.DECISION_MAKER}))
    assert "wordingofP" not in text_of(printed)
    assert printed.items == ()


def test_sixty_items_and_none_at_all_are_both_printed() -> None:
    """Nothing is lost in a long pack, and an empty one says that it is empty."""
    many = [item(f"I{number:02}", "police", wording=f"wording {number:02} " * (number + 1)) for number in range(60)]
    printed = print_collation(collation(answered("testford-housing", *many)))
    text = text_of(printed)
    assert all(f"ItemI{number:02}." in text for number in range(60))
    assert len(printed.items) == 60
    empty = text_of(print_collation(collation()))
    assert "Therearenoitems." in empty
    assert "Nothing:everybodyaskedhasanswered." in empty


def test_a_short_item_is_never_parted_from_its_marking() -> None:
    """Whichever sheet is taken out: a wording and its marking are on the same one."""
    many = [item(f"I{number:02}", "police", wording=f"start{number:02} " + "word " * 90) for number in range(30)]
    for page in pages_of(print_collation(collation(answered("testford-housing", *many)))):
        started = set(re.findall(r"start(\d\d)", page))
        assert started == set(re.findall(r"ItemI(\d\d)", page))


def test_a_long_item_says_its_marking_before_and_after() -> None:
    """A wording over several sheets is marked where it starts and where it ends."""
    text = text_of(print_one("word " * 1500))
    assert text.count("OFFICIAL-SENSITIVE·Maygotopolice.") == 2


def test_conflicting_levels_stand_side_by_side_on_paper() -> None:
    """The conflict is in the heading, and every agency's level is in the table."""
    text = text_of(print_collation(ashgrove()))
    assert "Levelsofneed:theydiffer" in text
    assert "TestfordshireEarlyHelp·23·" in text


def test_the_handover_pack_has_what_lists_the_service_and_no_trace_of_the_rest() -> None:
    """DIS-09: the scenario's pack has neither POL-02 nor POL-03, nor a hint that there is more."""
    printed = _handover(ashgrove(open_sealed=True, decided=decided("strategy_discussion")))
    text = text_of(printed)
    assert set(printed.items) == {"EDU-01", "HOU-02", "HLT-01", "HLT-11"}
    for absent in ("POL-0", "notshown", "confidentialinformation", "Heldback", "mayquoteapartner", "Police"):
        assert absent not in text
    assert "Decisionstrategydiscussion(section47)" in text


def test_the_handover_pack_says_what_it_may_be_used_for() -> None:
    """The strictest use unless the agreement says otherwise (overview, decision 3)."""
    assert "Obtaintheinformationanew,firsthand" in text_of(_handover(ashgrove()))
    assert "Maybeusedintheassessment" in text_of(_handover(ashgrove(), use_after_mash=UseAfterMash.ASSESSMENT))


def test_concerns_are_printed_only_where_they_list_the_service() -> None:
    """DIS-13: the concerns' own list decides."""
    listed = Concerns(wording="hungry at school", onward=("receiving_service",))
    assert "hungryatschool" in text_of(_handover(ashgrove(), concerns=listed))
    assert "hungry" not in text_of(_handover(ashgrove(), concerns=Concerns(wording="hungry at school")))


def test_a_letter_is_printed_with_its_marking_and_without_items() -> None:
    """DIS-11: the family's letter has the decision and the agency, and nothing of the answers."""
    view = ashgrove(decided=decided("early_help"))
    letter = family_letter(
        enquiry(),
        view,
        addressed_to="Ms Ashgrove-Test\n4 Example Row",
        sender=SENDER,
        through="testford-mash",
        now=NOW,
        early_help_agency="Family Hub-Test",
    )
    assert isinstance(letter, Letter)
    printed = letter_pdf(letter, printed_by="P. Example", printed_at=NOW)
    text = text_of(printed)
    assert "FamilyHub-Testwillofferyouearlyhelp" in text
    assert "On24Nov2026thiswasdecided:earlyhelp." in text
    assert "Forthepersonitisaddressedto,andnobodyelse." in text
    assert not any(squeezed(one.item.wording) in text for one in view.items)


def test_an_item_that_lists_the_family_is_printed_in_their_letter() -> None:
    """The wording stands in the letter with its conditions."""
    marks = marking("family", conditions=("acquittal_marked",))
    view = collation(answered("testford-housing", item("HOU-01", marks=marks)), decided=decided("no_further_action"))
    letter = family_letter(enquiry(), view, addressed_to="Ms A", sender=SENDER, through="mash", now=NOW)
    assert isinstance(letter, Letter)
    text = text_of(letter_pdf(letter, printed_by="P. Example", printed_at=NOW))
    assert "wordingofHOU-01" in text
    assert "Thepersonwasacquitted;alwayssayso." in text


def test_a_print_is_logged_by_digest_and_without_content() -> None:
    """DIS-14: who, when, what and which digest; no name and no wording in the line or in the repr."""
    printed = print_collation(ashgrove())
    assert printed.entry.at == NOW
    assert printed.entry.by == "P. Example"
    assert hashlib.sha256(printed.pdf).hexdigest() in printed.entry.what
    for shown in (printed.entry.what, repr(printed)):
        assert "Ashgrove" not in shown
        assert "Dean" not in shown


def test_the_same_print_has_the_same_digest_and_a_later_one_another() -> None:
    """A sheet found later can be told from another print."""
    view = ashgrove()
    later = collation_pdf(view, printed_by="P. Example", printed_at=NOW + timedelta(minutes=1))
    assert print_collation(view).sha256 == print_collation(view).sha256
    assert later.sha256 != print_collation(view).sha256
