"""One record of an agency's own system, as the disclosure rules see it. It never travels: what travels is an item.

Field names and defaults are those of the worked cases. Codes are plain strings, because a code that the rules do not
know must reach the rules and be treated as the strictest (§3.1a), not be lost in a parser.
"""

from datetime import date

from schemas.content.base import Content


class Grading(Content):
    """The police 3x5x2: source 1 to 3, assessment A to E, handling P or C, and the conditions word for word."""

    source: int | str | None = None
    assessment: str | None = None
    handling: str | None = None
    conditions: tuple[str, ...] = ()


class Record(Content):
    """One record, with its provenance. `subjects` are keys of the request's persons, or `other:LABEL`."""

    record_id: str | None = None
    record_type: str
    category: str
    subjects: tuple[str, ...]
    mentions: tuple[str, ...] = ()
    text: str
    summary: str | None = None
    nature: str
    originator: str | None = None
    obtained: str = "first_hand"
    in_confidence: bool = False
    event_on: date | None = None
    recorded_on: date | None = None
    gsc: str = "OFFICIAL-SENSITIVE"
    grading: Grading | None = None
    flags: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    contains_other_origin: tuple[str, ...] = ()
    match: str = "confirmed"
    consent: str = "not_asked"
    source: str | None = None
    # Fields that could not be read at all, by name; each is an unknown thing. See `Record.read`.
    unreadable: tuple[str, ...] = ()
