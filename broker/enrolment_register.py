"""Where each agency stands, and its dossier: one JSON file an agency, in a folder of the operator's alone.

A file is replaced whole and durably, or not at all. It holds names of post holders, which is why nothing here prints,
logs or raises with a value of it, and why it never comes near the hub's machines.
"""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from broker.enrolment import Dossier, Standing
from schemas.agency import is_participant_id


class UnknownAgency(Exception):
    """The register knows no such agency: enrol it first."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    standing: Standing
    dossier: Dossier


class Register:
    """The register in one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def find(self, participant: str) -> Standing | None:
        """Give where an agency stands, or None. Raises `ValueError` for a broken file or a name that is none."""
        path = self._path(participant)
        return self._read(path).standing if path.is_file() else None

    def standing(self, participant: str) -> Standing:
        """Give where an agency stands. Raises `UnknownAgency`."""
        found = self.find(participant)
        if found is None:
            raise UnknownAgency(f"{UnknownAgency.__doc__} ({participant})")
        return found

    def dossier(self, participant: str) -> Dossier:
        """Give an agency's dossier; an empty one, which permits nothing, where there is none."""
        path = self._path(participant)
        return self._read(path).dossier if path.is_file() else Dossier()

    def all(self) -> tuple[Standing, ...]:
        """Give where everybody stands."""
        return tuple(self._read(path).standing for path in sorted(self._folder.glob("*.json")))

    def keep(self, standing: Standing, dossier: Dossier) -> None:
        """Write where an agency stands now."""
        path = self._path(standing.participant)
        unfinished = path.with_suffix(".new")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(_Entry(standing=standing, dossier=dossier).model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    def _path(self, participant: str) -> Path:
        if not is_participant_id(participant):
            raise ValueError("this is no participant id")
        return self._folder / f"{participant}.json"

    def _read(self, path: Path) -> _Entry:
        return _Entry.model_validate_json(path.read_bytes())
