"""To whom a section is sealed: the current prekey of every role of the recipient that opens it.

What a record says of that changes only where the window of one of its prekeys begins or ends. So it is worked out
once for a record and a stretch of time, and asked anew for another record (a refreshed directory, a revocation, a
quarantine) and for any moment outside the stretch. Public values alone are kept, of one record a participant.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas import base64url
from schemas.directory import AgencyRecord, Role
from schemas.envelope import MAX_SECTIONS
from schemas.signing import key_ending

MAX_KEPT: Final = 256


class Address(NamedTuple):
    """One prekey of one role: their ids as 16 bytes each, the public key in base64url, and how its `info` ends."""

    role_id: bytes
    prekey_id: bytes
    public: str
    info_ending: bytes


@dataclass(frozen=True)
class Addresses:
    """The addresses of each section, by its index, from `begins` until before `ends` (Unix seconds).

    A section has none if no role opens it or if one that does has no current prekey: nothing is sealed to the others.
    """

    record: AgencyRecord
    begins: int
    ends: int
    sections: tuple[tuple[Address, ...], ...]

    def hold(self, record: AgencyRecord, moment: int) -> bool:
        """Say whether these are what that very record says at `moment`; an equal one is worked out anew."""
        return self.record is record and self.begins <= moment < self.ends


def _address(record: AgencyRecord, role: Role, moment: int) -> Address | None:
    prekey = record.prekey_of(role, moment)
    if prekey is None:
        return None
    role_id, prekey_id = base64url.decode(role.id) or b"", base64url.decode(prekey.id) or b""
    return Address(role_id, prekey_id, prekey.public, key_ending(role_id, prekey_id))


def _section(record: AgencyRecord, index: int, moment: int) -> tuple[Address, ...]:
    found = [_address(record, role, moment) for role in record.roles_opening(index)]
    known = tuple(address for address in found if address is not None)
    return known if len(known) == len(found) else ()


def _work_out(record: AgencyRecord, moment: int) -> Addresses:
    prekeys = [prekey for role in record.roles for prekey in role.prekeys]
    turns = [turn for prekey in prekeys for turn in (prekey.not_before, prekey.not_after)]
    begins = max((turn for turn in turns if turn <= moment), default=moment)
    ends = min((turn for turn in turns if turn > moment), default=moment + 1)
    return Addresses(record, begins, ends, tuple(_section(record, index, moment) for index in range(MAX_SECTIONS)))


_kept: Final[dict[str, Addresses]] = {}


def addresses_of(record: AgencyRecord, moment: int) -> Addresses:
    """Give whom the sections are sealed to if the stub says `moment` (Unix seconds)."""
    found = _kept.get(record.participant)
    if found is None or not found.hold(record, moment):
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        found = _kept[record.participant] = _work_out(record, moment)
    return found
