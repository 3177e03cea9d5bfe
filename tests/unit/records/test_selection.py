"""Which records come out of what is held, as whose, and how surely: where a wrong person could slip through."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.lookup.annotations import COLUMNS, annotated
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.match_weights import DEFAULT_POLICY
from adapters.kit.lookup.selection import Selected, select
from adapters.kit.lookup.tables import read_bytes
from adapters.kit.lookup.unread import BadField
from adapters.kit.lookup.xml_safe import parse_xml
from schemas.content.response import TraceStatus
from tests.support.ashgrove import request_to

HOME = "4 Example Row, Testford ZZ99 9ZZ"
FIELDS: dict[str, Any] = {"record_type": "ppn", "category": "criminal", "text": "a notice", "nature": "fact"}
CARYS = HeldPerson("C", ("Carys Ashgrove-Test",), date(1994, 5, 19), addresses=(HOME,))
TILLY = HeldPerson("T", ("Tilly Ashgrove-Test",), date(2017, 3, 14), addresses=(HOME,))


def chosen(persons: tuple[HeldPerson, ...], *records: HeldRecord, **changes: dict[str, Any] | None) -> Selected:
    return select(request_to("police", **changes), Holdings(persons, records), policy=DEFAULT_POLICY)


def record(*subjects: str, mentions: tuple[str, ...] = ()) -> HeldRecord:
    return HeldRecord("R1", "a place", subjects, FIELDS, mentions)


def test_record_is_possible_when_one_of_its_subjects_is_only_possible() -> None:
    """One uncertain subject makes the identity of the whole record a person's question."""
    namesake = HeldPerson("D", ("Dean Holloway-Test",))
    (found,) = chosen((CARYS, namesake), record("C", "D")).records
    assert (found.subjects, found.match) == (("carys", "dean"), "possible")


def test_record_names_no_person_of_the_request_when_the_mention_is_only_possible() -> None:
    """Somebody mentioned who may be Dean stays a third party, and is taken out of what leaves."""
    namesake = HeldPerson("D", ("Dean Holloway-Test",))
    (found,) = chosen((CARYS, namesake), record("C", mentions=("D",))).records
    assert (found.mentions, found.match) == (("other:Dean Holloway-Test",), "confirmed")


def test_record_stays_in_when_a_person_of_the_request_is_only_mentioned() -> None:
    """The professional must see it, to say that its subject is missing from the request (§3.6)."""
    brother = HeldPerson("B", ("Craig Holloway-Test",), date(1988, 1, 1))
    (found,) = chosen((CARYS, brother), record("B", mentions=("C",))).records
    assert (found.subjects, found.mentions) == (("other:Craig Holloway-Test",), ("carys",))


def test_record_stays_out_when_nobody_of_the_request_is_in_it() -> None:
    """Other people's records are not looked at further."""
    assert chosen((HeldPerson("X", ("Ivor Beck-Test",), date(1944, 10, 10)),), record("X")).records == ()


def test_entry_without_a_name_is_possibly_everybody_at_the_address() -> None:
    """A call from an address could be about any of them: a person has to say whom."""
    (found,) = chosen((HeldPerson("A", addresses=(HOME,)),), record("A")).records
    assert found.match == "possible"
    assert set(found.subjects) == {"tilly", "rowan", "carys", "dean"}


def test_twins_are_both_possible_when_the_entry_fits_either() -> None:
    """An entry that fits two children of the request is not given to one of them."""
    twin = {"name": "Tilly Ashgrove-Test", "role": "child", "dob": "2017-03-14", "address": HOME}
    (found,) = chosen((TILLY,), record("T"), twin=twin).records
    assert (set(found.subjects), found.match) == ({"tilly", "twin"}, "possible")


def test_relative_with_a_childs_name_is_not_taken_for_the_child() -> None:
    """Standing in a child's file confirms an adult of the family, never another child: cousins share names."""
    cousin = HeldPerson("R", ("Rowan Ashgrove-Test",), family_of=("T",))
    assert chosen((TILLY, cousin)).traces["rowan"].status is TraceStatus.POSSIBLE_MATCH


def test_unnamed_third_party_is_labelled_by_the_agencys_reference() -> None:
    """A subject without a name is still somebody else, and still to be taken out."""
    (found,) = chosen((CARYS, HeldPerson("P-12")), record("C", "P-12")).records
    assert found.subjects == ("carys", "other:unnamed (P-12)")


def noted(tmp_path: Path, had: dict[str, Any], **note: str) -> dict[str, Any]:
    cells = ",".join({"record": "R1", **note}.get(column, "") for column in COLUMNS)
    (tmp_path / "annotations.csv").write_text(f"{','.join(COLUMNS)}\n{cells}\n", "utf-8")
    held = HeldRecord("R1", "a place", ("C",), {**FIELDS, **had})
    (found,) = annotated(Holdings((CARYS,), (held,)), tmp_path).records
    return dict(found.fields)


@pytest.mark.parametrize(
    ("had", "noted_as", "expected"),
    [("refused", "given", "refused"), ("given", "withdrawn", "withdrawn"), (None, "refused", "refused")],
)
def test_note_never_opens_a_refusal(tmp_path: Path, had: str | None, noted_as: str, expected: str) -> None:
    """Of what the system says and what the note says, the stricter stance stands."""
    assert noted(tmp_path, {"consent": had} if had else {}, consent=noted_as)["consent"] == expected


def test_note_never_lifts_a_confidence_or_a_flag(tmp_path: Path) -> None:
    """A note adds restrictions; it takes none away."""
    found = noted(tmp_path, {"in_confidence": True, "flags": ["marac"]}, in_confidence="no", flags="draft")
    assert (found["in_confidence"], found["flags"]) == (True, ["marac", "draft"])


def test_note_that_names_a_record_twice_takes_it_out(tmp_path: Path) -> None:
    """Two notes that may contradict each other are no note."""
    row = ",".join({"record": "R1", "flags": "draft"}.get(column, "") for column in COLUMNS)
    (tmp_path / "annotations.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n{row}\n", "utf-8")
    held = HeldRecord("R1", "a place", ("C",), FIELDS)
    found = annotated(Holdings((CARYS,), (held,)), tmp_path)
    assert found.records == ()
    assert [(gap.row, gap.field) for gap in found.unread] == [(3, "record")]


def test_file_that_is_too_large_is_named_and_not_read(tmp_path: Path) -> None:
    """A file without end must not fill the memory of the adapter."""
    (tmp_path / "large.csv").write_bytes(b"x" * 11)
    with pytest.raises(BadField, match="larger than 10 bytes"):
        read_bytes(tmp_path / "large.csv", limit=10)


def test_document_type_is_refused_when_it_hides_in_another_encoding() -> None:
    """In UTF-16 the bytes of a DOCTYPE look different, and it is one all the same."""
    document = "<!DOCTYPE CTfile [<!ENTITY x 'y'>]><CTfile/>".encode("utf-16")
    with pytest.raises(BadField) as refused:
        parse_xml(document)
    assert refused.value.field == "DOCTYPE"
