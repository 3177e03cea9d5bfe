"""An agency's keyring: makes, keeps, rotates, erases and revokes keys, and hands out those of the moment.

Private keys are unwrapped when they are first handed out, are never printed, and are durable before their public
halves are published (C35). What is due when is decided in `keyplan`; how it is stored is `keyfile`.
A participant has one identity key in force, one signing key at a time, and prekeys for each role.
Every change is made under the folder's lock, on what is stored then: a service and a command may run side by side.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hmac import digest
from pathlib import Path
from typing import Final, Self

from nacl.signing import SigningKey
from nacl.utils import random
from pydantic import ValidationError

from adapters.kit.envelope import hybrid
from adapters.kit.failpoints import reach
from adapters.kit.keys import keyfile, keyplan
from adapters.kit.keys.in_use import PrekeyInHand, RecipientKeys, RoleInHand, SenderKeys
from adapters.kit.keys.keyerrors import (
    AlreadyThere,
    NoSigningKey,
    NoSuchKey,
    NoSuchRole,
    NotToBePublished,
    NotToBeRevoked,
)
from adapters.kit.keys.keyfile import KeyFile, StoredKey, StoredRole, Wrapping
from adapters.kit.keys.keyrecord import identity_of, public_record
from adapters.kit.keys.protectors import Protector
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.directory import AgencyRecord, Revocation
from schemas.signing import pae
from schemas.stub import IDENTIFIER_LENGTH

__all__ = ["ROLES", "AlreadyThere", "Keyring", "NoSigningKey", "NoSuchKey", "NoSuchRole"]

ROLES: Final[Mapping[str, tuple[int, ...]]] = {"gateway": (0,), "team": (1,), "decision_maker": (2,), "protected": (3,)}


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
        self._in_hand: dict[str, PrekeyInHand] = {}
        self._mark = keyfile.mark_of(folder)

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
        duty_telephone: str | None = None,
    ) -> Self:
        """Make a keyring with an identity, a signing key and prekeys of the four roles.

        `duty_telephone` is published with the keys: whom the hub's operators ring (GOV-05).
        Raises `AlreadyThere`, or `NotToBePublished` before anything is written.
        """
        if (folder / keyfile.FILE_NAME).exists():
            raise AlreadyThere(str(folder))
        master = SecretBytes.random()
        header, wrapped = _protect(master, participant=participant, protector=protector)
        roles = tuple(StoredRole(name=role, id=_new_id(), opens=opens) for role, opens in ROLES.items())
        with _refusing_the_unpublishable():
            content = KeyFile(
                participant=participant,
                kind=kind,
                name=name or participant,
                duty_telephone=duty_telephone,
                protector=header,
                master=wrapped,
                roles=roles,
                keys=(),
            )
        keyfile.save(content, folder=folder)
        ring = cls(folder, content=content, master=master)
        ring.renew_identity(now)
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
        before = len(keyfile.load(self._folder).keys)

        def renewed(content: KeyFile) -> KeyFile:
            revoked = frozenset(entry.key for entry in content.revocations)
            due = keyplan.keys_due(content.keys, roles=content.roles, now=_unix(now), revoked=revoked, ahead=ahead)
            return self._with(content, due)

        self._change(renewed)
        reach("C34")
        return len(self._content.keys) - before

    def renew_identity(self, now: datetime) -> None:
        """Make a new identity key. Partners hold it in quarantine for 72 hours and check it by telephone."""
        started = _unix(now)
        wanted = keyplan.Wanted("identity", None, started, started + keyplan.IDENTITY_LIFE)
        self._change(lambda content: self._with(content, [wanted]))

    def erase_expired(self, now: datetime) -> int:
        """Erase private keys whose window has passed, and say how many."""
        before = len(self._content.keys)

        def kept(content: KeyFile) -> KeyFile:
            keys = tuple(key for key in content.keys if not keyplan.is_to_be_erased(key, now=_unix(now)))
            return content.model_copy(update={"keys": keys})

        self._change(kept)
        return before - len(self._content.keys)

    def revoke(self, key: str, *, now: datetime) -> None:
        """Declare a key untrustworthy from `now` on and make its successor. Raises `NoSuchKey`, `NotToBeRevoked`."""
        use = next((stored.use for stored in self._content.keys if stored.id == key), None)
        if use is None:
            raise NoSuchKey(key)
        if use == "identity":
            raise NotToBeRevoked
        entry = Revocation(key=key, revoked_at=_unix(now))
        self._change(lambda content: content.model_copy(update={"revocations": (*content.revocations, entry)}))
        self.rotate(now)

    def add_role(self, name: str, *, opens: Iterable[int], now: datetime) -> None:
        """Add an audience inside the agency, with prekeys of its own. Raises `NoSuchRole`."""
        sections = tuple(sorted(set(opens)))
        taken = {role.name for role in self._content.roles}
        if name in taken or not sections or not set(sections) <= {1, 2, 3}:
            raise NoSuchRole(name)
        try:
            role = StoredRole(name=name, id=_new_id(), opens=sections)
        except ValidationError:
            raise NoSuchRole(name) from None
        self._change(lambda content: content.model_copy(update={"roles": (*content.roles, role)}))
        self.rotate(now)

    def set_duty_telephone(self, number: str | None) -> None:
        """Say whom the hub's operators ring from the next published record on (GOV-05). Raises `NotToBePublished`."""
        with _refusing_the_unpublishable():
            KeyFile.model_validate({**self._content.model_dump(), "duty_telephone": number})
        self._change(lambda content: content.model_copy(update={"duty_telephone": number}))

    def protect_anew(self, protector: Protector) -> None:
        """Wrap the master key under another passphrase or credential; no key changes."""
        header, wrapped = _protect(self._master, participant=self.participant, protector=protector)
        self._change(lambda content: content.model_copy(update={"protector": header, "master": wrapped}))

    def back_up(self, path: Path) -> None:
        """Write a backup for the owner only: identity, signing and store key, wrapped; never a prekey.

        A restored keyring must `rotate` and publish: what was sealed to the lost prekeys has to be sealed again.
        """
        keyfile.write_private(path, keyfile.backup_of(self._content))

    def sender_keys(self, now: datetime) -> SenderKeys:
        """Hand out the signing key of the moment: the oldest that is valid and not revoked. Raises `NoSigningKey`."""
        self._take_over_changes()
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
        self._take_over_changes()
        names = frozenset(roles)
        wanted = {role.id: role for role in self._content.roles if role.name in names}
        in_hand = {_raw(role.id): RoleInHand(role.name, role.opens) for role in wanted.values()}
        prekeys = {
            _raw(key.id): self._prekey(key)
            for key in self._content.of_use("prekey")
            if key.role in wanted and not keyplan.is_to_be_erased(key, now=_unix(now))
        }
        return RecipientKeys(self.participant, in_hand, prekeys)

    def store_key(self) -> SecretBytes:
        """Give the 32 bytes under which this agency's store seals its fields; they outlive every rotation."""
        return SecretBytes(digest(self._master.reveal(), pae("keyring-store") + b"\x01", "sha256"))

    def directory_record(self) -> AgencyRecord:
        """Give the public record that this agency publishes. Nothing in it is private."""
        self._take_over_changes()
        return public_record(self._content)

    def identity_seed(self) -> SecretBytes:
        """Hand out the identity key, which signs nothing but this agency's record in the directory."""
        return self.unwrapped(identity_of(self._content))

    def unwrapped(self, key: StoredKey) -> SecretBytes:
        """Unwrap one private key. Raises `CannotUnlock`."""
        return self._wrapping.open(key.sealed, label=key.label(self.participant))

    def _prekey(self, key: StoredKey) -> PrekeyInHand:
        """Load a prekey once: unwrapping it for every message would cost more than opening the message."""
        if key.id not in self._in_hand:
            window = {"not_before": key.not_before, "not_after": key.not_after}
            self._in_hand[key.id] = PrekeyInHand.load(_raw(key.role), secret=self.unwrapped(key), **window)
        return self._in_hand[key.id]

    def _with(self, content: KeyFile, wanted: Iterable[keyplan.Wanted]) -> KeyFile:
        return content.model_copy(update={"keys": content.keys + tuple(self._made(one) for one in wanted)})

    def _made(self, wanted: keyplan.Wanted) -> StoredKey:
        secret, public = _new_pair(wanted.use)
        plain = {"id": _new_id(), "use": wanted.use, "role": wanted.role, "public": base64url.encode(public)}
        window = {"not_before": wanted.not_before, "not_after": wanted.not_after}
        bare = StoredKey.model_validate({**plain, **window, "sealed": ""})
        return bare.model_copy(update={"sealed": self._wrapping.seal(secret, label=bare.label(self.participant))})

    def _change(self, change: Callable[[KeyFile], KeyFile]) -> None:
        """Apply a change to what is stored now, durably, and only then use it."""
        with keyfile.locked(self._folder):
            stored = keyfile.load(self._folder)
            changed = change(stored)
            if changed != stored:
                keyfile.save(changed, folder=self._folder)
            self._use(changed)

    def _take_over_changes(self) -> None:
        """Use what another process has stored since: partners may seal to a prekey as soon as it is published."""
        if keyfile.mark_of(self._folder) not in (None, self._mark):
            self._use(keyfile.load(self._folder))

    def _use(self, content: KeyFile) -> None:
        self._content, self._mark = content, keyfile.mark_of(self._folder)
        stays = {key.id for key in content.keys}
        self._in_hand = {number: key for number, key in self._in_hand.items() if number in stays}


@contextmanager
def _refusing_the_unpublishable() -> Iterator[None]:
    try:
        yield
    except ValidationError:
        raise NotToBePublished from None


def _protect(master: SecretBytes, *, participant: str, protector: Protector) -> tuple[dict[str, object], str]:
    kek, header = protector.new()
    return dict(header), Wrapping(kek).seal(master, label=keyfile.master_label(participant))


def _raw(identifier: str | None) -> bytes:
    return base64url.decode(identifier or "") or b""
