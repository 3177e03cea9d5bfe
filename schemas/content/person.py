"""A person of a request (RFI-05), with only the identifiers that the recipient can use (RFI-06)."""

from datetime import date
from typing import Final

from schemas.content.base import Content

CHILD_ROLES: Final = frozenset(("subject_child", "child", "unborn_child"))


class Person(Content):
    """One row of the persons table. An unborn child has `edd` and `mother` instead of `dob` (RFI-18)."""

    name: str | None = None
    aliases: tuple[str, ...] = ()
    role: str | None = None
    relationship: str | None = None
    sex: str | None = None
    dob: date | None = None
    edd: date | None = None
    estimated_age: int | None = None
    mother: str | None = None
    life_status: str = "living"
    died_on: date | None = None
    address: str | None = None
    identifiers: dict[str, str] = {}
    alleged_victim: bool = False
    alleged_perpetrator: bool = False

    @property
    def is_child(self) -> bool:
        """Say whether the role in this request is a child's, of whatever kind, the unborn included (§6.17)."""
        return self.role is not None and (self.role in CHILD_ROLES or self.role.endswith("_child"))
