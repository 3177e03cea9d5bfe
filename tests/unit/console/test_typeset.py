"""Whatever somebody wrote comes out of the typesetter as text: whole, legible, and none of it obeyed."""

import io
import unicodedata
from typing import cast

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from adapters.la.console import legible
from adapters.la.console.pack import collation_pdf
from adapters.la.console.typeset import NotTypeset, typeset
from tests.unit.console.ashgrove import ashgrove
from tests.unit.console.office import NOW, answered, collation, item
from tests.unit.console.printing import print_collation, print_one, squeezed, text_of

EMBEDDED = ("LibertinusSerif", "DejaVuSansMono", "NewCM")


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
    assert squeezed(wording) in text_of(print_one(wording))


def test_source_code_in_any_other_field_comes_out_as_text() -> None:
    """Attack: the code hides in a name, a condition, a grading, or in who printed it."""
    bad = "#panic() ] $"
    view = collation(
        answered("testford-housing", item("ok", "police", bad, subjects=(bad,), source=bad)), not_contacted={bad: bad}
    )
    printed = collation_pdf(view, printed_by=bad, printed_at=NOW)
    assert text_of(printed).count("#panic()]$") >= 5


def test_a_word_longer_than_a_line_is_broken_and_not_cut() -> None:
    """Attack: a wording hides its end off the edge of the sheet."""
    word = "x" * 700 + "END"
    printed = print_one(word)
    assert word in text_of(printed)
    longest = max(PdfReader(io.BytesIO(printed.pdf)).pages[0].extract_text().splitlines(), key=len)
    assert len(longest.replace("\u200b", "")) < 140


@pytest.mark.parametrize("wording", ["שלום הילדה מפחדת", "مرحبا بالعالم"])
def test_right_to_left_text_comes_out_with_all_its_letters(wording: str) -> None:
    """The order on the sheet is the script's; what is checked here is that no letter is lost."""
    text = unicodedata.normalize("NFKC", text_of(print_one(wording)))
    assert set(wording) - {" "} <= set(text)
    assert "script:read" not in text


def test_emoji_and_scripts_without_glyphs_come_out_as_words() -> None:
    """A child's message says something with it; an empty box would lose that."""
    text = text_of(print_one("I hate it \U0001f622 ਪੰਜਾਬੀ"))
    assert "Ihateit[cryingface][6lettersofGurmukhiscript:readthemonthescreen]" in text


def test_signs_that_cannot_be_combined_are_named_rather_than_lost_or_refused() -> None:
    """Attack: one impossible combination in one wording keeps the whole pack from being printed."""
    text = text_of(print_one("א\u0300\u05ac and plain words"))
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
    text = text_of(print_one(" ".join(marks)))
    assert "[cyrillic" not in text
    assert "[hebrew" not in text
    assert "letters of" not in text


def test_line_breaks_of_the_writer_are_kept() -> None:
    """A list that somebody wrote stays a list."""
    page = PdfReader(io.BytesIO(print_one("first\nsecond").pdf)).pages[0].extract_text()
    assert "first\nsecond" in page


def test_the_pdf_can_be_read_aloud_and_carries_its_own_fonts() -> None:
    """Title and language are set, the PDF is tagged, and no font comes from the machine that printed it."""
    reader = PdfReader(io.BytesIO(print_collation(ashgrove()).pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "What the agencies know: ENQ-2026-000431"
    catalogue = reader.root_object
    assert str(catalogue["/Lang"]).lower() == "en-gb"
    assert b"/Marked true" in print_collation(ashgrove()).pdf
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in reader.pages
        for font in cast(DictionaryObject, cast(DictionaryObject, page["/Resources"])["/Font"]).values()
    }
    assert fonts
    assert all(font.startswith(EMBEDDED) for font in fonts)


def test_a_fault_of_the_typesetter_says_nothing_of_what_was_to_be_printed() -> None:
    """Attack: the error message of the typesetter carries a wording into a log."""
    with pytest.raises(NotTypeset) as caught:
        typeset("letter.typ", {"paragraphs": ["a wording"]}, at=NOW)
    assert "a wording" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
