"""What the practitioners of the demonstration write down about an answer: the form, with what it leaves open said.

It stands for a person's judgement and is in the scenario's words; the form itself is the product's.
"""

from schemas.content.lawfulness import AnswerNotes, Checklist, ConfidenceTest, LawfulNotes, RecordNotes, Weighing

_TEN = {
    "pseudonymised": "no: the team has to know which family it is",
    "objections": "nobody is known to have asked that it be kept back",
}
_SEVEN = ConfidenceTest(
    proportionate="what bears on the children's safety, and no more",
    vulnerability="children of nine and six, and an unborn child",
    impact_on_individual="less than the harm that silence may do",
    other_means="none that reaches the team in time",
    public_safety="violence in the home is reported",
    crime_and_rights="assaults are prevented, and the children's rights upheld",
    protects_others="the mother and the children",
)


def written(form: LawfulNotes) -> LawfulNotes:
    """Give the form with everything filled in that it leaves to a person."""
    return form.model_copy(
        update={
            "answer": _answer(form.answer),
            "records": {key: _record(notes) for key, notes in form.records.items()},
        }
    )


def _answer(notes: AnswerNotes) -> AnswerNotes:
    asked = notes.checklist.model_dump(exclude_none=True)
    paragraph = notes.paragraph_18
    return notes.model_copy(
        update={
            "human_rights": notes.human_rights.model_copy(
                update={"lawful": True, "necessary": True, "proportionate": True, "aim": "rights_of_others"}
            ),
            "necessity": notes.necessity or "public_interest",
            "paragraph_18": paragraph.model_copy(update={"substantial_public_interest": True}) if paragraph else None,
            "caldicott_checked": True,
            "checklist": Checklist.from_plain({**_TEN, **asked}),
        }
    )


def _record(notes: RecordNotes) -> RecordNotes:
    return notes.model_copy(
        update={
            "confidence_test": _SEVEN if notes.confidence_test else None,
            "views_of_confider": "asked, and does not object" if notes.confidence_test else None,
            "objection_decided": "shared: the children's safety outweighs the objection",
            "weighing": _weighed(notes.weighing),
            "other_route": "considered: the second approver rings the decision maker where a child depends on it",
        }
    )


def _weighed(weighing: Weighing | None) -> Weighing | None:
    if weighing is None:
        return None
    said = {"if_shared": "a person in danger might be found", "if_not_shared": "the team knows whom to ring instead"}
    return weighing.model_copy(update={**said, "child_first": True})
