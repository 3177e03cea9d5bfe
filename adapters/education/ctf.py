"""The DfE Common Transfer File: pupils, their contacts, attendance and special needs, from one XML file.

Read: `CTfile/CTFpupilData/Pupil` with its identification, `Addresses`, `Contacts`, `Attendance/YearData` and
`SENhistory`. A pupil who cannot be read is named by the position in the file; the others are read.
Refuses to know: free school meals and assessments, which no question asks for (RSP-04).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from lxml import etree

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.fields import day
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.tables import read_bytes
from adapters.kit.lookup.unread import BadField, Unread
from adapters.kit.lookup.xml_safe import line_of, parse_xml, stray_text, text_of

_RELATIONSHIPS_OUTSIDE_FAMILY: Final = frozenset(("DOC", "REL", "SWR"))


def read_ctf(path: Path, answers: AnswerTable) -> Holdings:
    """Read one file; what cannot be read is among `unread`, by line."""
    try:
        root = parse_xml(read_bytes(path))
        if root.tag != "CTfile":
            raise BadField(root.tag, "is not a Common Transfer File", "put only CTF files here")
        issued = _issued(root)
    except BadField as bad:
        return Holdings(unread=(bad.at(path.name, None),))
    persons: list[HeldPerson] = []
    records: list[HeldRecord] = []
    unread: list[Unread] = list(stray_text(root, path.name))
    for number, pupil in enumerate(root.iterfind("CTFpupilData/Pupil"), start=1):
        try:
            ref = f"{path.stem}:pupil {number}"
            persons += [_pupil(pupil, ref), *_contacts(pupil, ref)]
            records += _records(pupil, ref=ref, issued=issued, answers=answers)
        except BadField as bad:
            unread.append(bad.at(path.name, line_of(pupil)))
    return Holdings(tuple(persons), tuple(records), tuple(unread))


def _issued(root: etree._Element) -> date | None:
    stamp = text_of(root, "Header", "DateTime")
    return day({"DateTime": stamp.partition("T")[0]}, "DateTime")


def _pupil(pupil: etree._Element, ref: str) -> HeldPerson:
    for name in ("Surname", "Forename", "DOB"):
        if not text_of(pupil, name):
            raise BadField(name, "is missing")
    return HeldPerson(
        ref=ref,
        names=(f"{text_of(pupil, 'Forename')} {text_of(pupil, 'Surname')}",),
        dob=day({"DOB": text_of(pupil, "DOB")}, "DOB"),
        sex=text_of(pupil, "Sex") or text_of(pupil, "Gender") or None,
        addresses=tuple(_addresses(pupil)),
        identifiers={"upn": text_of(pupil, "UPN")} if text_of(pupil, "UPN") else {},
    )


def _contacts(pupil: etree._Element, ref: str) -> Iterator[HeldPerson]:
    for number, contact in enumerate(pupil.iterfind("Contacts/Contact"), start=1):
        name = f"{text_of(contact, 'Forename')} {text_of(contact, 'Surname')}".strip()
        is_family = text_of(contact, "Relationship") not in _RELATIONSHIPS_OUTSIDE_FAMILY
        yield HeldPerson(
            ref=f"{ref} contact {number}",
            names=(name,) if name else (),
            addresses=tuple(_addresses(contact)),
            family_of=(ref,) if is_family else (),
        )


def _addresses(owner: etree._Element) -> Iterator[str]:
    for address in owner.iterfind("Addresses/Address"):
        parts = (part.text.strip() for part in address.iter() if part.text and not len(part))
        yield " ".join(part for part in parts if part)


def _records(pupil: etree._Element, *, ref: str, issued: date | None, answers: AnswerTable) -> Iterator[HeldRecord]:
    for year in pupil.iterfind("Attendance/YearData"):
        fields: dict[str, Any] = {"record_type": "attendance", "text": _attendance(year), "event_on": issued}
        fields["answers"] = answers.answers([("ctf", "attendance")])
        yield _record(year, ref=ref, label=f"attendance {text_of(year, 'Year')}", fields=fields)
    for number, need in enumerate(pupil.iterfind("SENhistory/SEN"), start=1):
        started = day({"StartDate": text_of(need, "StartDate")}, "StartDate")
        provision = text_of(need, "SENprovision")
        words = f"special educational needs provision {provision} from {started or 'an unknown date'}"
        fields = {"record_type": "pupil_file", "text": words, "event_on": started}
        fields["answers"] = answers.answers([("ctf", "sen")])
        yield _record(need, ref=ref, label=f"sen {number}", fields=fields)


def _record(element: etree._Element, *, ref: str, label: str, fields: Mapping[str, Any]) -> HeldRecord:
    place = f"{ref.partition(':')[0]}.xml line {line_of(element)}"
    return HeldRecord(f"{ref} {label}", place, (ref,), {**fields, "category": "education", "nature": "fact"})


def _attendance(year: etree._Element) -> str:
    possible, attended = _sessions(year, "SessionsPossible"), _sessions(year, "SessionsAttended")
    if possible == 0 or attended > possible:
        raise BadField("SessionsAttended", "attended and possible sessions do not agree")
    school_year = int(text_of(year, "Year"))
    label = f"{school_year}/{(school_year + 1) % 100:02}"
    return (
        f"{attended / possible:.1%} of sessions in {label}: {attended} of {possible}; "
        f"absent {_sessions(year, 'SessionsAuthorised')} with leave, {_sessions(year, 'SessionsUnauthorised')} without"
    )


def _sessions(year: etree._Element, name: str) -> int:
    number = text_of(year, name)
    if not number.isdecimal() or not text_of(year, "Year").isdecimal():
        raise BadField(name, "is not a number of sessions in a year")
    return int(number)
