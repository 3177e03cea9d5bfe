"""What the hub may read of a message: the core, a closed list of fields each with its allow-list (SPEC 5).

Nothing personal fits through these patterns (SEC-02), and no two readers can disagree about them:
the core is JSON without spaces, escapes, arrays, floats, duplicate or unknown fields.
The bytes are signed as they stand; a verifier never writes them again.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NoReturn

from schemas import base64url
from schemas.agency import is_participant_id
from schemas.routing import Lane

MAX_INTEGER: Final = 2**53 - 1
IDENTIFIER_LENGTH: Final = 16
FIRST_PREVIOUS: Final = bytes(32)
# Printable ASCII without space, backslash and brackets: no escape can hide a field's name from another reader.
CORE_ALPHABET: Final = bytes(byte for byte in range(0x21, 0x7F) if byte not in b"\\[]")
SERVICE_CLASS: Final = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)


class Event(StrEnum):
    """What has happened in a thread, as far as the hub's clocks must know it."""

    REQUEST = "REQ"
    RERATED = "RRT"
    RECALLED = "RCL"
    ACKNOWLEDGED = "ACK"
    QUESTION = "QRY"
    HELD = "HOLD"
    PART_ANSWER = "PRT"
    ANSWER = "ANS"
    REFUSED = "REF"
    SUPPLEMENT = "SUP"
    NOTICE = "NTC"
    CLOSED = "CLS"
    RECEIPT = "RCP"
    HEARTBEAT = "HB"


@dataclass(frozen=True, slots=True)
class DirectoryReference:
    """Which directory the sender looked at: its version and its SHA-256."""

    version: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Stub:
    """The fields of the core. `t` and `exp` are Unix seconds; identifiers are base64url of 16 bytes."""

    mid: str
    thread: str
    from_: str
    to: str
    kid: str
    seq: int
    prev: bytes
    irt: str | None
    lane: Lane
    service_class: str
    event: Event
    t: int
    exp: int
    directory: DirectoryReference

    @property
    def sent_at(self) -> datetime:
        """Give `t` as an aware time."""
        return datetime.fromtimestamp(self.t, UTC)

    @property
    def expires_at(self) -> datetime:
        """Give `exp` as an aware time."""
        return datetime.fromtimestamp(self.exp, UTC)


@dataclass(frozen=True, slots=True)
class BadCore:
    """Why bytes are no core; the reason names the field and never its value."""

    reason: str


class _Refused(ValueError):
    """The core breaks a rule of SPEC 5."""


def _closed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _Refused("duplicate field")
    return fields


def _no_float(_text: str) -> NoReturn:
    raise _Refused("a number that is not whole")


def _natural(text: str) -> int:
    if text.startswith("-") or len(text) > 16 or int(text) > MAX_INTEGER:
        raise _Refused("a number out of range")
    return int(text)


def _is_natural(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER


def _is_identifier(value: object) -> bool:
    return isinstance(value, str) and base64url.is_spelling(value, size=IDENTIFIER_LENGTH)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and base64url.is_spelling(value, size=32)


def _is_participant(value: object) -> bool:
    return isinstance(value, str) and is_participant_id(value)


def _is_service_class(value: object) -> bool:
    return isinstance(value, str) and SERVICE_CLASS.fullmatch(value) is not None


def _is_reference(value: object) -> bool:
    known = isinstance(value, dict) and value.keys() == {"ver", "sha256"}
    return known and _is_natural(value["ver"]) and _is_digest(value["sha256"])  # type: ignore[index]  # known is a dict


LANES: Final = {lane.value: lane for lane in Lane}
EVENTS: Final = {event.value: event for event in Event}

_RULES: Final[dict[str, Callable[[object], bool]]] = {
    "v": lambda value: _is_natural(value) and value == 1,
    "mid": _is_identifier,
    "thread": _is_identifier,
    "from": _is_participant,
    "to": _is_participant,
    "kid": _is_identifier,
    "seq": lambda value: _is_natural(value) and value != 0,
    "prev": _is_digest,
    "irt": lambda value: value is None or _is_identifier(value),
    "lane": lambda value: isinstance(value, str) and value in LANES,
    "cls": _is_service_class,
    "ev": lambda value: isinstance(value, str) and value in EVENTS,
    "t": _is_natural,
    "exp": _is_natural,
    "dir": _is_reference,
}
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_closed, parse_float=_no_float, parse_constant=_no_float, parse_int=_natural
)


def _read_fields(core: bytes) -> dict[str, Any]:
    if core.translate(None, CORE_ALPHABET):
        raise _Refused("a byte outside the core's alphabet")
    fields = _DECODER.decode(core.decode("ascii"))
    if not isinstance(fields, dict) or fields.keys() != _RULES.keys():
        raise _Refused("a field missing or unknown")
    _hold(fields)
    return fields


def _hold(fields: dict[str, Any]) -> None:
    for name, holds in _RULES.items():
        if not holds(fields[name]):
            raise _Refused(f"field {name}")


# The same rules as one pattern over the fields in their usual order, in which every sender of ours writes them.
_IDENTIFIER: Final = base64url.spelling_of(IDENTIFIER_LENGTH)
_DIGEST: Final = base64url.spelling_of(32)
_NUMBER: Final = "0|[1-9][0-9]{0,15}"
_IN_ORDER: Final = re.compile(
    f'{{"v":1,"mid":"({_IDENTIFIER})","thread":"({_IDENTIFIER})","from":"(?P<from>[a-z0-9-]+)","to":"(?P<to>[a-z0-9-]+)",'
    f'"kid":"({_IDENTIFIER})","seq":(?P<seq>[1-9][0-9]{{0,15}}),"prev":"({_DIGEST})","irt":(?:null|"({_IDENTIFIER})"),'
    f'"lane":"({"|".join(LANES)})","cls":"({SERVICE_CLASS.pattern})","ev":"({"|".join(EVENTS)})",'
    f'"t":(?P<t>{_NUMBER}),"exp":(?P<exp>{_NUMBER}),"dir":{{"ver":(?P<ver>{_NUMBER}),"sha256":"({_DIGEST})"}}}}'
)


def _in_order(text: str) -> re.Match[str] | None:
    """Match a sound core whose fields stand in the usual order, or give None, which says nothing about the core."""
    found = _IN_ORDER.fullmatch(text)
    if found is None or not (is_participant_id(found["from"]) and is_participant_id(found["to"])):
        return None
    return found if max(map(int, found.group("seq", "t", "exp", "ver"))) <= MAX_INTEGER else None


def _stub_of(found: re.Match[str]) -> Stub:
    mid, thread, from_, to, kid, seq, prev, irt, lane, service_class, event, t, exp, version, digest = found.groups()
    return Stub(
        mid, thread, from_, to, kid, int(seq), base64url.value_of(prev), irt, LANES[lane], service_class, EVENTS[event],
        int(t), int(exp), DirectoryReference(int(version), base64url.value_of(digest)),
    )  # fmt: skip


def read_core(core: bytes) -> Stub | BadCore:
    """Read a core strictly (SPEC 5, E03).

    In the usual order it is read at one look, which is a quarter of the work; in any other, field by field.
    The look accepts nothing that the reading of fields would refuse, and finds the same in it.
    """
    found = _in_order(core.decode("latin-1"))
    return _read_any_order(core) if found is None else _stub_of(found)


def _read_any_order(core: bytes) -> Stub | BadCore:
    try:
        fields = _read_fields(core)
    except _Refused as refused:
        return BadCore(str(refused))
    except (ValueError, RecursionError):
        return BadCore("not JSON")
    own_names = {name: fields[name] for name in ("mid", "thread", "to", "kid", "seq", "irt", "t", "exp")}
    return Stub(
        from_=fields["from"],
        prev=base64url.value_of(fields["prev"]),
        lane=LANES[fields["lane"]],
        service_class=fields["cls"],
        event=EVENTS[fields["ev"]],
        directory=DirectoryReference(fields["dir"]["ver"], base64url.value_of(fields["dir"]["sha256"])),
        **own_names,
    )


def write_core(stub: Stub) -> bytes:
    """Write a core in the order of the specification.

    Raises `ValueError` when a field breaks its own rule: a sender must not sign what every recipient refuses.
    """
    irt, directory = "null" if stub.irt is None else f'"{stub.irt}"', stub.directory
    core = (
        f'{{"v":1,"mid":"{stub.mid}","thread":"{stub.thread}","from":"{stub.from_}","to":"{stub.to}",'
        f'"kid":"{stub.kid}","seq":{stub.seq},"prev":"{base64url.encode(stub.prev)}","irt":{irt},'
        f'"lane":"{stub.lane.value}","cls":"{stub.service_class}","ev":"{stub.event.value}","t":{stub.t},"exp":{stub.exp},'
        f'"dir":{{"ver":{directory.version},"sha256":"{base64url.encode(directory.digest)}"}}}}'
    )
    if _in_order(core) is None:
        raise _Refused("a field breaks its own rule")
    return core.encode("ascii")
