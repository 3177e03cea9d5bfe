"""Canaries: strings that must be found nowhere but where they may be, put into every field of content that is a string.

A canary is unmistakable and different for every field, so that a leak names the field it came from.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

MARK = "CANARY"


class Canaries:
    """Makes canaries, and remembers them."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def new(self, field: str) -> str:
        """Make the canary of one field."""
        canary = f"{MARK}-{len(self.made):03d}-{field}"
        self.made.append(canary)
        return canary


def strings_in(model: BaseModel) -> Iterator[str]:
    """Give every string inside a model, keys included."""
    yield from _strings(model.model_dump(mode="json"))


def _strings(plain: object) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, dict):
        for key, value in plain.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from _strings(value)


def leaks_in(folder: Path, *, except_below: frozenset[str]) -> list[str]:
    """Give every file below `folder`, but for the excepted folders, that holds the mark in clear (UTF-8 or UTF-16)."""
    needles = (MARK.encode(), MARK.encode("utf-16-le"))
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not except_below & set(path.relative_to(folder).parts)
        and any(needle in path.read_bytes() for needle in needles)
    ]
