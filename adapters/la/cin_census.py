"""The children in need census return, for a council without the Standard Safeguarding Dataset.

Guarantees: a return is read with its usual blemishes and each is named by line and element: text that stands outside
every element, a date after the day of the look-up, an end before its beginning. A child's other entries are still
read. A census has no names: a child is found by UPN and date of birth, and without a sound UPN is possible at most.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from lxml import etree

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.fields import day
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.tables import read_bytes
from adapters.kit.lookup.unread import BadField, Unread
from adapters.kit.lookup.xml_safe import line_of, parse_xml, stray_text, text_of

_SEX: Final = {"1": "M", "2": "F"}


def read_census(path: Path, answers: AnswerTable, *, on: date) -> Holdings:
    """Read one return; `on` is the day of the look-up, after which nothing can have happened."""
    try:
        root = parse_xml(read_bytes(path))
        if root.tag != "Message":
            raise BadField("Message", "is not a census return", "name the return of the children in need census")
    except BadField as bad:
        return Holdings(unread=(bad.at(path.name, None),))
    reading = _Reading(path.name, answers=answers, on=on)
    for child in root.iterfind("Children/Child"):
        reading.child(child)
    return Holdings(tuple(reading.persons), tuple(reading.records), (*stray_text(root, path.name), *reading.unread))


class _Reading:
    """One pass over a return, gathering what could be read and what could not."""

    def __init__(self, file: str, *, answers: AnswerTable, on: date) -> None:
        self.file, self.answers, self.on = file, answers, on
        self.persons: list[HeldPerson] = []
        self.records: list[HeldRecord] = []
        self.unread: list[Unread] = []

    def child(self, child: etree._Element) -> None:
        try:
            person = self._person(child)
        except BadField as bad:
            self.unread.append(bad.at(self.file, line_of(child)))
            return
        self.persons.append(person)
        for details in child.iterfind("CINdetails"):
            for element, entry in _entries(details):
                self._keep(element, ref=person.ref, entry=entry)

    def _person(self, child: etree._Element) -> HeldPerson:
        ref = text_of(child, "ChildIdentifiers", "LAchildID")
        if not ref:
            raise BadField("LAchildID", "is missing")
        upn, sex = (text_of(child, "ChildIdentifiers", name) for name in ("UPN", "Sex"))
        return HeldPerson(
            ref=ref,
            dob=self._day(child, "ChildIdentifiers", "PersonBirthDate"),
            edd=_date(child, "ChildIdentifiers", "ExpectedPersonBirthDate"),
            sex=_SEX.get(sex, sex) or None,
            identifiers={"upn": upn} if upn else {},
        )

    def _day(self, element: etree._Element, *names: str) -> date | None:
        found = _date(element, *names)
        if found and found > self.on:
            raise BadField(names[-1], "lies after the day of the look-up")
        return found

    def _keep(self, element: etree._Element, *, ref: str, entry: str) -> None:
        try:
            self.records.append(self._record(element, ref=ref, entry=entry))
        except BadField as bad:
            self.unread.append(bad.at(self.file, line_of(element)))

    def _record(self, element: etree._Element, *, ref: str, entry: str) -> HeldRecord:
        record_type, words, nature, start_name, end_name = WORDS[entry]
        start, end = self._day(element, start_name), self._day(element, end_name)
        if start is None:
            raise BadField(start_name, "is missing")
        if end and end < start:
            raise BadField(end_name, "lies before the beginning")
        factors = [("factor", code.text or "") for code in element.iterfind(".//AssessmentFactors")]
        fields = {
            "record_type": record_type,
            "category": "social_care",
            "text": f"{words} from {start}" + (f" to {end}" if end else ""),
            "nature": nature,
            "event_on": end or start,
            "answers": self.answers.answers([("census", entry), *factors]),
        }
        place = f"{self.file} line {line_of(element)}"
        return HeldRecord(f"{Path(self.file).stem} line {line_of(element)}", place, (ref,), fields)


# Element -> (record type, words, nature, element of the beginning, element of the end)
WORDS: Final = {
    "CINdetails": ("case_status", "children's social care episode", "fact", "CINreferralDate", "CINclosureDate"),
    "Assessments": (
        *("cin_assessment", "child in need assessment", "professional_opinion"),
        *("AssessmentActualStartDate", "AssessmentAuthorisationDate"),
    ),
    "ChildProtectionPlans": ("case_status", "child protection plan", "fact", "CPPstartDate", "CPPendDate"),
}


def _entries(details: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    yield details, "CINdetails"
    for name in ("Assessments", "ChildProtectionPlans"):
        for element in details.iterfind(name):
            yield element, name


def _date(element: etree._Element, *names: str) -> date | None:
    return day({names[-1]: text_of(element, *names)}, names[-1])
