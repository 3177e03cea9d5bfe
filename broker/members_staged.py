"""The registrar's members as the next version will have them: staged already, or else as published."""

from pathlib import Path

from broker.directory.repository import NothingPublished, Repository
from broker.directory.shelf import MEMBERS
from schemas.members import Members


def members_of(folder: Path) -> Members:
    """Give the members as staged, or else as published; none before the first publication."""
    repository = Repository(folder)
    if (repository.staging / "targets.json").is_file():
        return Members.model_validate_json((repository.staging / MEMBERS).read_bytes())
    try:
        return repository.published().members
    except NothingPublished:
        return Members(members=())
