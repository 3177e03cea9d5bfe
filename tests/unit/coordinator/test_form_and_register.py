"""Files that a coordinator or an area writes: a mistake is named with its place, and never with what was written."""

from pathlib import Path

import pytest

from adapters.la.console.form import FormUnreadable, blank, load_form
from adapters.la.console.register import RegisterUnreadable, load_register
from deploy.demo.area import FORM, HERE

NAME = "Tilly Ashgrove-Test"


def _form(folder: Path, text: str, *, ending: str = "toml", encoding: str = "utf-8") -> Path:
    path = folder / f"form.{ending}"
    path.write_text(text, encoding)
    return path


def test_the_blank_form_is_a_form(tmp_path: Path) -> None:
    """What `mash enquiry form` prints can be given to `mash enquiry new`."""
    assert load_form(_form(tmp_path, blank())).purpose == "threshold_decision"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (('dob = "2017-03-14"', 'dob = "14/03/2017"'), "persons.tilly.dob"),
        (('role = "subject_child"', 'rolle = "subject_child"'), "persons.tilly.rolle"),
        (("anonymous_source = false", 'anonymous_source = "no"'), "anonymous_source"),
        (('parents_aware = "no"', "parents_aware = no"), "line 7"),
        (("schedule_1_condition = 18", 'schedule_1_condition = "18"'), "lawful_basis.schedule_1_condition"),
    ],
)
def test_a_broken_form_is_refused_with_the_field_or_the_line(
    tmp_path: Path, change: tuple[str, str], place: str
) -> None:
    """What to mend is named; whom it is about is not."""
    path = _form(tmp_path, FORM.read_text("utf-8").replace(*change, 1))

    with pytest.raises(FormUnreadable, match=place) as refused:
        load_form(path)
    assert NAME not in str(refused.value)
    assert "14/03/2017" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "ending", "place"),
    [
        ("persons: [", "yaml", "line"),
        ("- a\n- b\n", "yaml", "a table of fields"),
        ("[1, 2]", "json", "a table of fields"),
        ('{"reason": "Tilly Ashgrove-Test', "json", "line 1"),
        ("\x00", "toml", "line 1"),
    ],
)
def test_a_file_that_is_no_form_is_refused_in_every_format(tmp_path: Path, text: str, ending: str, place: str) -> None:
    """TOML, YAML and JSON."""
    with pytest.raises(FormUnreadable, match=place) as refused:
        load_form(_form(tmp_path, text, ending=ending))
    assert NAME not in str(refused.value)


def test_a_form_in_another_encoding_is_refused_without_quoting_it(tmp_path: Path) -> None:
    """A spreadsheet's Latin-1 is no UTF-8, and a guess would garble a name."""
    with pytest.raises(FormUnreadable, match="UTF-8"):
        load_form(_form(tmp_path, 'reason = "é"', encoding="latin-1"))


def test_a_form_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    """A misspelt path is the commonest mistake."""
    with pytest.raises(FormUnreadable, match=r"missing\.toml"):
        load_form(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (('kind = "police"', 'kind = "polis"'), r"parties\.0\.kind"),
        (('signatory = "active"', "signatory = active"), "line"),
        (("public_body = true", 'public_body = "yes"'), r"parties\.0\.public_body"),
        (('participant = "testford-police"', 'participant = "Testford Police"'), r"parties\.0\.participant"),
        (("[agreement]", "[agrement]"), "agreement"),
    ],
)
def test_a_broken_register_is_refused_with_the_field_or_the_line(
    tmp_path: Path, change: tuple[str, str], place: str
) -> None:
    """Nobody is asked by a register that is not read to the end."""
    path = tmp_path / "register.toml"
    path.write_text((HERE / "register.toml").read_text("utf-8").replace(*change, 1), "utf-8")

    with pytest.raises(RegisterUnreadable, match=place):
        load_register(path)


def test_a_register_that_was_changed_by_one_byte_has_another_hash(tmp_path: Path) -> None:
    """GOV-07: the version that a request was made under can be proved."""
    path = tmp_path / "register.toml"
    text = (HERE / "register.toml").read_text("utf-8")
    path.write_text(text + "\n", "utf-8")

    assert load_register(path).agreement.hash != load_register(HERE / "register.toml").agreement.hash
