"""What an agency's reader hands to the kit: persons as the agency knows them, records that refer to them, and gaps.

Pure data. A reader fills it from its own format and decides nothing: whether a held person is the one asked about is
decided by `matching.py`, which records come out by `selection.py`, and what may leave by the disclosure rules.
Nothing of a person is shown in a repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adapters.kit.lookup.unread import Unread


@dataclass(frozen=True)
class HeldPerson:
    """A person in the agency's own system.

    `ref` is the agency's own reference, unique within one source. `names` are whole names, the first is the main one.
    An unborn child has `edd` and `mother_ref` (another person's `ref`) instead of `dob` (RFI-18).
    `family_of` are the references of the children in whose file this person stands as parent, partner or relative.
    """

    ref: str
    names: tuple[str, ...] = field(default=(), repr=False)
    dob: date | None = field(default=None, repr=False)
    edd: date | None = field(default=None, repr=False)
    mother_ref: str | None = field(default=None, repr=False)
    died_on: date | None = field(default=None, repr=False)
    family_of: tuple[str, ...] = field(default=(), repr=False)
    sex: str | None = field(default=None, repr=False)
    addresses: tuple[str, ...] = field(default=(), repr=False)
    identifiers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Give what a third party is called in a record: the main name, or the agency's reference if there is none."""
        return self.names[0] if self.names else f"unnamed ({self.ref})"


@dataclass(frozen=True)
class HeldRecord:
    """A record before it is known who of the request is in it: subjects and mentions are agency references.

    `fields` are the other fields of `schemas.content.record.Record`, in plain values.
    """

    record_id: str
    source: str
    subjects: tuple[str, ...] = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)
    mentions: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Holdings:
    """All that one source holds and that could be read, and what could not."""

    persons: tuple[HeldPerson, ...] = ()
    records: tuple[HeldRecord, ...] = ()
    unread: tuple[Unread, ...] = ()
