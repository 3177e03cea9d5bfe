"""Records and requests as they come from outside, read so that nothing unreadable is lost or repaired.

A record with a field that cannot be read is still a record: the field is named in `unreadable`, and the rules treat
it as an unknown thing (§3.1a). A request whose field cannot be read lacks that field, and the rules list the gap.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation

_REQUIRED_TEXT: Final = ("record_type", "category", "text", "nature")
_MAY_BE_NONE: Final = frozenset({"record_id", "summary", "originator", "event_on", "recorded_on", "grading", "source"})
# Cleared or unreadable, these are unknown: the addressee is not the team, nor is the person alive, for want of a value.
_DEFAULT_WOULD_OPEN: Final = frozenset({"audience", "life_status"})
_MOST_REPAIRS: Final = 200
Place = tuple[Any, ...]


class RecordUnreadableError(Exception):
    """The record cannot be read at all. It was not assessed and nothing of it leaves."""


class RequestUnreadableError(Exception):
    """The request says neither which enquiry it is of, nor when it was issued, nor whom it asks. Ask for it again."""


def read_record(plain: Mapping[str, Any]) -> Record:
    """Read one record from plain values as YAML, JSON or a database gives them; a bad value is no error.

    Raises `RecordUnreadableError` when leaving out every bad field does not make it readable.
    """
    kept = {str(name): value for name, value in plain.items() if name != "unreadable"}
    unreadable = {name for name, value in kept.items() if value is None and name not in _MAY_BE_NONE}
    unreadable |= _said_unreadable(plain.get("unreadable"))
    for _ in range(_MOST_REPAIRS):
        try:
            record = Record.from_plain({**_stand_ins(), **_without(kept, unreadable)})
            return record.model_copy(update={"unreadable": tuple(sorted(unreadable))})
        except ValidationError as error:
            unreadable |= {str(place[0]) for place in _places(error)}
    raise RecordUnreadableError


def read_request(plain: Mapping[str, Any]) -> RequestForInformation:
    """Read a request, leaving out what cannot be read. A cleared audience is nobody, never the default addressee.

    Raises `RequestUnreadableError` when what is left is not a request.
    """
    pruned = _cleared(plain)
    for _ in range(_MOST_REPAIRS):
        try:
            return RequestForInformation.from_plain(pruned)
        except ValidationError as error:
            if not _prune(pruned, _places(error)[0]):
                break
    raise RequestUnreadableError


def _said_unreadable(listed: Any) -> set[str]:
    """Take over what was unreadable to the sender already; a list that is none is itself unreadable."""
    if listed is None:
        return set()
    return {str(name) for name in listed} if isinstance(listed, list | tuple) else {"unreadable"}


def _stand_ins() -> dict[str, Any]:
    return {**dict.fromkeys(_REQUIRED_TEXT, ""), "subjects": []}


def _without(plain: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name not in names}


def _places(error: ValidationError) -> list[Place]:
    return [tuple(one["loc"]) for one in error.errors(include_input=False, include_url=False)]


def _cleared(value: Any) -> Any:
    """Leave out every null: it clears a value, and a missing one is what the models know, unless that would open."""
    if isinstance(value, Mapping):
        kept = {key: inner for key, inner in value.items() if inner is not None or key in _DEFAULT_WOULD_OPEN}
        return {str(key): "" if inner is None else _cleared(inner) for key, inner in kept.items()}
    if isinstance(value, list | tuple):
        return [_cleared(inner) for inner in value if inner is not None]
    return value


def _prune(plain: Any, place: Place) -> bool:
    """Remove the innermost thing on the way to `place` that is there; say whether anything was removed."""
    for depth in range(len(place), 0, -1):
        container, step = _at(plain, place[: depth - 1]), place[depth - 1]
        if isinstance(container, list) and step in range(len(container)):
            del container[step]
            return True
        if isinstance(container, dict) and step in container:
            _set_aside(container, step)
            return True
    return False


def _set_aside(container: dict[str, Any], name: str) -> None:
    """Take an unreadable value away; where the models' default would open, put the unknown value there instead."""
    if name in _DEFAULT_WOULD_OPEN and container[name] != "":
        container[name] = ""
    else:
        del container[name]


def _at(plain: Any, place: Place) -> Any:
    for step in place:
        try:
            plain = plain[step]
        except (KeyError, IndexError, TypeError):
            return None
    return plain
