"""An agency's keyring: makes, keeps, rotates, erases and revokes keys, and hands out those of the moment.

Private keys are unwrapped only while they are handed out, are never printed, and are durable before their public
halves are published (C35). What is due when is decided in `keyplan`; how it is stored is `keyfile`.
A participant has one identity key, one signing key at a time, and prekeys for each role.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hmac import digest
from pathlib import Path
from typing import Final, Self

from nacl.signing import SigningKey
from nacl.utils import random

from adapters.kit import hybrid, keyfile, keyplan
from adapters.kit.keyfile import KeyFile, StoredKey, StoredRole, Wrapping
from adapters.kit.keys import PrekeyInHand, RecipientKeys, RoleInHand, SenderKeys
from adapters.kit.protectors import Protector
from adapters.kit.secrets import SecretBytes
from schemas import base64url, directory
from schemas.signing import pae
from schemas.stub import IDENTIFIER_LENGTH

ROLES: Final[Mapping[str, tuple[int, ...]]] = {"gateway": (0,), "team": (1,), "decision_maker": (2,), "protected": (3,)}


class NoSigningKey(Exception):
    """The keyring has no signing key that is valid now: run `mash keys rotate`, then publish the record."""


class AlreadyThere(Exception):
    """The folder already holds a keyring; it is not overwritten."""


def _unix(now: datetime) -> int:
    return int(now.timestamp())


def _new_id() -> str:
    return base64url.encode(random(IDENTIFIER_LENGTH))


def _new_pair(use: str) -> tuple[SecretBytes, bytes]:
    if use == "prekey":
        return hybrid.generate()
    pair = SigningKey.generate()
    return SecretBytes(bytes(pair)), bytes(pair.verify_key)


class Keyring:
    """The keys of one participant, in one folder."""

    def __init__(self, folder: Path, *, content: KeyFile, master: SecretBytes) -> None:
        self._folder, self._content, self._master = folder, content, master
        self._wrapping = Wrapping(master)

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        participant: str,
        protector: Protector,
        now: datetime,
        kind: str = "la",
        name: str = "",
    ) -> Self:
        """Make a keyring with an identity, a signing key and prekeys of the four roles. Raises `AlreadyThere`."""
        if (folder / keyfile.FILE_NAME).exists():
            raise AlreadyThere(str(folder))
        kek, header = protector.new()
        master = SecretBytes.random()
        content = KeyFile(
            participant=participant,
            kind=kind,
            name=name or participant,
            protector=dict(header),
            master=Wrapping(kek).seal(master, label=keyfile.master_label(participant)),
            roles=tuple(StoredRole(name=role, id=_new_id(), opens=opens) for role, opens in ROLES.items()),
            keys=(),
        )
        ring = cls(folder, content=content, master=master)
        started = _unix(now)
        ring._add([keyplan.Wanted("identity", None, started, started + keyplan.IDENTITY_LIFE)])
        ring.rotate(now)
        return ring

    @classmethod
    def open(cls, folder: Path, *, protector: Protector, now: datetime) -> Self:
        """Open a keyring and erase what has outlived its window.

        Raises `FileNotFoundError`, `CannotUnlock`, `ReadableByOthers`, `DamagedKeyFile`.
        """
        content = keyfile.load(folder)
        kek = protector.unlock(content.protector)
        master = Wrapping(kek).open(content.master, label=keyfile.master_label(content.participant))
        ring = cls(folder, content=content, master=master)
        ring.erase_expired(now)
        return ring

    @property
    def participant(self) -> str:
        """Say whose keys these are."""
        return self._content.participant

    @property
    def stored(self) -> KeyFile:
        """Give what is stored: public parts, and private parts as they are wrapped."""
        return self._content

    def rotate(self, now: datetime, *, ahead: int = 0) -> int:
        """Make every key that is due now, or within `ahead` seconds, and say how many were made."""
        revoked = frozenset(entry.key for entry in self._content.revocations)
        keys, roles = self._content.keys, self._content.roles
        due = keyplan.keys_due(keys, roles=roles, now=_unix(now), revoked=revoked, ahead=ahead)
        self._add(due)
        return len(due)

    def erase_expired(self, now: datetime) -> int:
        """Erase private keys whose window has passed, and say how many."""
        kept = tuple(key for key in self._content.keys if not keyplan.is_to_be_erased(key, now=_unix(now)))
        erased = len(self._content.keys) - len(kept)
        if erased:
            self._store({"keys": kept})
        return erased

    def sender_keys(self, now: datetime) -> SenderKeys:
        """Hand out the signing key of the moment: the oldest that is valid and not revoked. Raises `NoSigningKey`."""
        revoked = {entry.key for entry in self._content.revocations}
        moment = _unix(now)
        valid = [key for key in self._content.of_use("signing") if key.not_before <= moment < key.not_after]
        usable = [key for key in valid if key.id not in revoked]
        if not usable:
            raise NoSigningKey
        key = min(usable, key=lambda key: key.not_before)
        return SenderKeys.load(self.participant, kid=key.id, seed=self.unwrapped(key))

    def recipient_keys(self, roles: Iterable[str], now: datetime) -> RecipientKeys:
        """Hand out what opens the sections of `roles` at `now`; a role that is not ours opens nothing."""
        wanted = {role.id: role for role in self._content.roles if role.name in set(roles)}
        in_hand = {_raw(role.id): RoleInHand(role.name, role.opens) for role in wanted.values()}
        prekeys = {
            _raw(key.id): PrekeyInHand.load(
                _raw(key.role), secret=self.unwrapped(key), not_before=key.not_before, not_after=key.not_after
            )
            for key in self._content.of_use("prekey")
            if key.role in wanted and not keyplan.is_to_be_erased(key, now=_unix(now))
        }
        return RecipientKeys(self.participant, in_hand, prekeys)

    def store_key(self) -> SecretBytes:
        """Give the 32 bytes under which this agency's store seals its fields; they outlive every rotation."""
        return SecretBytes(digest(self._master.reveal(), pae("keyring-store") + b"\x01", "sha256"))

    def directory_record(self) -> directory.AgencyRecord:
        """Give the public record that this agency publishes. Nothing in it is private."""
        content = self._content
        (identity,) = content.of_use("identity")
        return directory.AgencyRecord(
            participant=content.participant,
            kind=content.kind,
            name=content.name,
            identity=identity.public,
            signing=tuple(
                directory.SigningKey(kid=key.id, public=key.public, not_before=key.not_before, not_after=key.not_after)
                for key in content.of_use("signing")
            ),
            roles=tuple(self._public_role(role) for role in content.roles),
            revocations=content.revocations,
            duty_telephone=content.duty_telephone,
        )

    def _public_role(self, role: StoredRole) -> directory.Role:
        prekeys = tuple(
            directory.Prekey(id=key.id, public=key.public, not_before=key.not_before, not_after=key.not_after)
            for key in self._content.of_use("prekey")
            if key.role == role.id
        )
        return directory.Role(name=role.name, id=role.id, opens=role.opens, prekeys=prekeys)

    def unwrapped(self, key: StoredKey) -> SecretBytes:
        """Unwrap one private key. Raises `CannotUnlock`."""
        return self._wrapping.open(key.sealed, label=key.label(self.participant))

    def _add(self, wanted: Iterable[keyplan.Wanted]) -> None:
        made = tuple(self._made(one) for one in wanted)
        if made:
            self._store({"keys": self._content.keys + made})

    def _made(self, wanted: keyplan.Wanted) -> StoredKey:
        secret, public = _new_pair(wanted.use)
        bare = StoredKey.model_validate(
            {
                "id": _new_id(),
                "use": wanted.use,
                "role": wanted.role,
                "public": base64url.encode(public),
                "not_before": wanted.not_before,
                "not_after": wanted.not_after,
                "sealed": "",
            }
        )
        return bare.model_copy(update={"sealed": self._wrapping.seal(secret, label=bare.label(self.participant))})

    def _store(self, changes: Mapping[str, object]) -> None:
        content = self._content.model_copy(update=dict(changes))
        keyfile.save(content, folder=self._folder)
        self._content = content


def _raw(identifier: str | None) -> bytes:
    return base64url.decode(identifier or "") or b""
