"""What is printed, read back out of the PDF: wordings, markings on every sheet, nothing sealed, nothing obeyed."""

import hashlib
import io
import re
import unicodedata
from datetime import timedelta
from typing import cast

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from adapters.la.console import legible
from adapters.la.console.collation import Collation
from adapters.la.console.handover import Concerns, handover_pack
from adapters.la.console.letters import Letter, Sender, family_letter
from adapters.la.console.pack import Printed, collation_pdf, handover_pdf, letter_pdf
from adapters.la.console.register import UseAfterMash
from adapters.la.console.typeset import NotTypeset, typeset
from adapters.la.console.wording import CONDITIONS
from schemas.content.codes import Audience
from tests.unit.console.ashgrove import ashgrove
from tests.unit.console.office import NOW, answered, collation, decided, enquiry, item, marking

EMBEDDED = ("LibertinusSerif", "DejaVuSansMono", "NewCM")
SENDER = Sender(name="P. Example", role="MASH team manager", organisation="Testfordshire", telephone="0113 496 0100")


def _print(view: Collation) -> Printed:
    return collation_pdf(view, printed_by="P. Example", printed_at=NOW)


def _one(wording: str) -> Printed:
    return _print(collation(answered("testford-housing", item("HOU-01", "police", wording=wording))))


def _squeezed(text: str) -> str:
    """Give a text without spaces, line breaks and invisible break points, which a sheet may set anywhere."""
    return re.sub(r"[\s\u200b\xad]", "", text)


def _pages(printed: Printed) -> list[str]:
    return [_squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(printed.pdf)).pages]


def _text(printed: Printed) -> str:
    return "".join(_pages(printed))


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
    text = _text(_print(view))
    for one in view.items:
        assert _squeezed(legible.on_paper(one.item.wording)) in text
        assert f"Item{one.item.item}." in text
        assert all(_squeezed(CONDITIONS[code]) in text for code in one.item.marking.conditions)
    assert text.count("OFFICIAL-SENSITIVE·Maygoto") == len(view.items)


def test_every_sheet_bears_marking_handling_legend_and_who_printed_it() -> None:
    """DIS-14: no sheet is unmarked, whichever is taken out of the pile."""
    pages = _pages(_print(ashgrove(open_sealed=True, decided=decided())))
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
        printed = _print(view)
        assert "controlleddrugs" not in _text(printed)
        assert "Awarrantisplanned" not in _text(printed)
        assert {"POL-02", "POL-03"}.isdisjoint(printed.items)
    assert "controlleddrugs" in _text(_print(opened))


def test_an_item_that_lists_nobody_is_on_no_paper_and_the_reader_is_told_that_something_is_missing() -> None:
    """Attack: what may not leave the screen leaves it on paper. Even the decision maker's print goes without it."""
    text = _text(_print(ashgrove(open_sealed=True)))
    assert "Awarrantisplanned" not in text
    assert _squeezed("1 not shown: the originator names nobody: it stays on the screen.") in text


def test_a_secret_item_is_on_no_paper() -> None:
    """Attack: a classification above what the broker carries is printed under a lower marking (DIS-16)."""
    view = collation(answered("testford-police", item("P", marks=marking("police", gsc="SECRET"))))
    printed = _print(view.model_copy(update={"reader": Audience.DECISION_MAKER}))
    assert "wordingofP" not in _text(printed)
    assert printed.items == ()


@pytest.mark.parametrize(
    "wording",
    [
        '#eval("1 + 1") #panic("x") #read("/etc/passwd") #import "x": y',
        "] [ } { ) ( $x^2$ \\ \" ' * _ ` <label> @reference // comment /* x */ ~ -- --- ...",
        "= heading\n- list\n+ enum\n/ term: x",
        '{"kind": "item"} \\u{41} \\n %s {0}',
        "[red]markup[/red] <script>alert(1)</script>",
    ],
)
def test_source_code_in_a_wording_comes_out_as_text(wording: str) -> None:
    """Attack: a wording written for the typesetter runs in it, or breaks the print."""
    assert _squeezed(wording) in _text(_one(wording))


def test_source_code_in_any_other_field_comes_out_as_text() -> None:
    """Attack: the code hides in a name, a condition, a grading, or in who printed it."""
    bad = "#panic() ] $"
    view = collation(
        answered("testford-housing", item("ok", "police", bad, subjects=(bad,), source=bad)), not_contacted={bad: bad}
    )
    printed = collation_pdf(view, printed_by=bad, printed_at=NOW)
    assert _text(printed).count("#panic()]$") >= 5


def test_a_word_longer_than_a_line_is_broken_and_not_cut() -> None:
    """Attack: a wording hides its end off the edge of the sheet."""
    word = "x" * 700 + "END"
    printed = _one(word)
    assert word in _text(printed)
    longest = max(PdfReader(io.BytesIO(printed.pdf)).pages[0].extract_text().splitlines(), key=len)
    assert len(longest.replace("\u200b", "")) < 140


@pytest.mark.parametrize("wording", ["שלום הילדה מפחדת", "مرحبا بالعالم"])
def test_right_to_left_text_comes_out_with_all_its_letters(wording: str) -> None:
    """The order on the sheet is the script's; what is checked here is that no letter is lost."""
    text = unicodedata.normalize("NFKC", _text(_one(wording)))
    assert set(wording) - {" "} <= set(text)
    assert "script:read" not in text


def test_emoji_and_scripts_without_glyphs_come_out_as_words() -> None:
    """A child's message says something with it; an empty box would lose that."""
    text = _text(_one("I hate it \U0001f622 ਪੰਜਾਬੀ"))
    assert "Ihateit[cryingface][6lettersofGurmukhiscript:readthemonthescreen]" in text


def test_signs_that_cannot_be_combined_are_named_rather_than_lost_or_refused() -> None:
    """Attack: one impossible combination in one wording keeps the whole pack from being printed."""
    text = _text(_one("א\u0300\u05ac and plain words"))
    assert "[3lettersofHebrewscript:readthemonthescreen]andplainwords" in text


def test_every_sign_that_is_said_to_have_a_glyph_has_one() -> None:
    """Structure: the table of scripts is held against the fonts that the typesetter really has."""
    signs = [
        sign
        for first, last in legible._ON_PAPER
        for sign in map(chr, range(first, last + 1))
        if legible.on_paper(sign) == sign
    ]
    assert len(signs) > 2500
    marks = [f"x{sign}" if unicodedata.category(sign)[0] == "M" else sign for sign in signs]
    text = _text(_one(" ".join(marks)))
    assert "[cyrillic" not in text
    assert "[hebrew" not in text
    assert "letters of" not in text


def test_line_breaks_of_the_writer_are_kept() -> None:
    """A list that somebody wrote stays a list."""
    page = PdfReader(io.BytesIO(_one("first\nsecond").pdf)).pages[0].extract_text()
    assert "first\nsecond" in page


def test_the_pdf_can_be_read_aloud_and_carries_its_own_fonts() -> None:
    """Title and language are set, the PDF is tagged, and no font comes from the machine that printed it."""
    reader = PdfReader(io.BytesIO(_print(ashgrove()).pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "What the agencies know: ENQ-2026-000431"
    catalogue = reader.root_object
    assert str(catalogue["/Lang"]).lower() == "en-gb"
    assert b"/Marked true" in _print(ashgrove()).pdf
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in reader.pages
        for font in cast(DictionaryObject, cast(DictionaryObject, page["/Resources"])["/Font"]).values()
    }
    assert fonts
    assert all(font.startswith(EMBEDDED) for font in fonts)


def test_sixty_items_and_none_at_all_are_both_printed() -> None:
    """Nothing is lost in a long pack, and an empty one says that it is empty."""
    many = [item(f"I{number:02}", "police", wording=f"wording {number:02} " * (number + 1)) for number in range(60)]
    printed = _print(collation(answered("testford-housing", *many)))
    text = _text(printed)
    assert all(f"ItemI{number:02}." in text for number in range(60))
    assert len(printed.items) == 60
    empty = _text(_print(collation()))
    assert "Therearenoitems." in empty
    assert "Nothing:everybodyaskedhasanswered." in empty


def test_a_short_item_is_never_parted_from_its_marking() -> None:
    """Whichever sheet is taken out: a wording and its marking are on the same one."""
    many = [item(f"I{number:02}", "police", wording=f"start{number:02} " + "word " * 90) for number in range(30)]
    for page in _pages(_print(collation(answered("testford-housing", *many)))):
        started = set(re.findall(r"start(\d\d)", page))
        assert started == set(re.findall(r"ItemI(\d\d)", page))


def test_a_long_item_says_its_marking_before_and_after() -> None:
    """A wording over several sheets is marked where it starts and where it ends."""
    text = _text(_one("word " * 1500))
    assert text.count("OFFICIAL-SENSITIVE·Maygotopolice.") == 2


def test_conflicting_levels_stand_side_by_side_on_paper() -> None:
    """The conflict is in the heading, and every agency's level is in the table."""
    text = _text(_print(ashgrove()))
    assert "Levelsofneed:theydiffer" in text
    assert "TestfordshireEarlyHelp·23·" in text


def test_the_handover_pack_has_what_lists_the_service_and_no_trace_of_the_rest() -> None:
    """DIS-09: the scenario's pack has neither POL-02 nor POL-03, nor a hint that there is more."""
    printed = _handover(ashgrove(open_sealed=True, decided=decided("strategy_discussion")))
    text = _text(printed)
    assert set(printed.items) == {"EDU-01", "HOU-02", "HLT-01", "HLT-11"}
    for absent in ("POL-0", "notshown", "confidentialinformation", "Heldback", "mayquoteapartner", "Police"):
        assert absent not in text
    assert "Decisionstrategydiscussion(section47)" in text


def test_the_handover_pack_says_what_it_may_be_used_for() -> None:
    """The strictest use unless the agreement says otherwise (overview, decision 3)."""
    assert "Obtaintheinformationanew,firsthand" in _text(_handover(ashgrove()))
    assert "Maybeusedintheassessment" in _text(_handover(ashgrove(), use_after_mash=UseAfterMash.ASSESSMENT))


def test_concerns_are_printed_only_where_they_list_the_service() -> None:
    """DIS-13: the concerns' own list decides."""
    listed = Concerns(wording="hungry at school", onward=("receiving_service",))
    assert "hungryatschool" in _text(_handover(ashgrove(), concerns=listed))
    assert "hungry" not in _text(_handover(ashgrove(), concerns=Concerns(wording="hungry at school")))


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
    text = _text(printed)
    assert "FamilyHub-Testwillofferyouearlyhelp" in text
    assert "On24Nov2026thiswasdecided:earlyhelp." in text
    assert "Forthepersonitisaddressedto,andnobodyelse." in text
    assert not any(_squeezed(one.item.wording) in text for one in view.items)


def test_an_item_that_lists_the_family_is_printed_in_their_letter() -> None:
    """The wording stands in the letter with its conditions."""
    marks = marking("family", conditions=("acquittal_marked",))
    view = collation(answered("testford-housing", item("HOU-01", marks=marks)), decided=decided("no_further_action"))
    letter = family_letter(enquiry(), view, addressed_to="Ms A", sender=SENDER, through="mash", now=NOW)
    assert isinstance(letter, Letter)
    text = _text(letter_pdf(letter, printed_by="P. Example", printed_at=NOW))
    assert "wordingofHOU-01" in text
    assert "Thepersonwasacquitted;alwayssayso." in text


def test_a_print_is_logged_by_digest_and_without_content() -> None:
    """DIS-14: who, when, what and which digest; no name and no wording in the line or in the repr."""
    printed = _print(ashgrove())
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
    assert _print(view).sha256 == _print(view).sha256
    assert later.sha256 != _print(view).sha256


def test_a_fault_of_the_typesetter_says_nothing_of_what_was_to_be_printed() -> None:
    """Attack: the error message of the typesetter carries a wording into a log."""
    with pytest.raises(NotTypeset) as caught:
        typeset("letter.typ", {"paragraphs": ["a wording"]}, at=NOW)
    assert "a wording" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
