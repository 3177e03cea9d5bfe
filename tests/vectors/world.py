"""The participants of the vectors: keys out of labels, a directory with everything in it that a rule can turn on.

Synthetic, and public on purpose: whoever writes a second implementation needs the private keys too.
"""

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nacl.signing import SigningKey as SigningPair

from schemas import base64url, directory
from tests.vectors.wrapping import entropy

T = int(datetime(2026, 11, 24, 10, 12, tzinfo=UTC).timestamp())
HOUR, DAY = 3_600, 86_400
SENDER, RECIPIENT, STRANGER = "testford-la", "testford-police", "testford-education"
SUSPENDED, UNRELATED, LIMITED = "testford-housing", "testford-fire", "testford-yot"
ROLES = {"gateway": (0,), "team": (1,), "decision_maker": (2,), "protected": (3,)}
EXTRA_ROLE = "duty_team"
WINDOWS = {
    "current": (T - DAY, T + 6 * DAY),
    "previous": (T - 8 * DAY, T - DAY),
    "erased": (T - DAY, T + 6 * DAY),
}
SIGNING_WINDOWS = {
    "current": (T - 30 * DAY, T + 60 * DAY),
    "expired": (T - 90 * DAY, T),
    "future": (T + 1, T + 90 * DAY),
    "revoked": (T - 30 * DAY, T + 60 * DAY),
    "revoked_soon": (T - 30 * DAY, T + 60 * DAY),
    "revoked_later": (T - 30 * DAY, T + 60 * DAY),
}
REVOKED_AT = {"revoked": T - DAY, "revoked_soon": T + DAY, "revoked_later": T + DAY + 1}


def identifier(label: str) -> str:
    """Give 16 bytes that follow from the label, as base64url."""
    return base64url.encode(entropy("id " + label, 16))


@cache
def signing_pair(owner: str, which: str = "current") -> SigningPair:
    """Give a participant's signing key."""
    return SigningPair(entropy(f"signing {owner} {which}"))


def kid(owner: str, which: str = "current") -> str:
    """Give the id of a participant's signing key."""
    return identifier(f"signing {owner} {which}")


def private_prekey(owner: str, role: str, which: str) -> bytes:
    """Give the 96 private bytes of a prekey."""
    return entropy(f"prekey {owner} {role} {which}", 96)


@cache
def public_prekey(owner: str, role: str, which: str) -> bytes:
    """Give the 1,216 public bytes of a prekey."""
    raw = private_prekey(owner, role, which)
    lattice = MLKEM768PrivateKey.from_seed_bytes(raw[:64]).public_key().public_bytes_raw()
    return lattice + X25519PrivateKey.from_private_bytes(raw[64:]).public_key().public_bytes_raw()


def role_id(owner: str, role: str) -> str:
    """Give the id of a role."""
    return identifier(f"role {owner} {role}")


def prekey_id(owner: str, role: str, which: str = "current") -> str:
    """Give the id of a prekey."""
    return identifier(f"prekey {owner} {role} {which}")


def _role(owner: str, role: str, opens: tuple[int, ...]) -> directory.Role:
    prekeys = tuple(
        directory.Prekey(
            id=prekey_id(owner, role, which),
            public=base64url.encode(public_prekey(owner, role, which)),
            not_before=window[0],
            not_after=window[1],
        )
        for which, window in WINDOWS.items()
    )
    return directory.Role(name=role, id=role_id(owner, role), opens=opens, prekeys=prekeys)


def _signing(owner: str, which: str) -> directory.SigningKey:
    not_before, not_after = SIGNING_WINDOWS[which]
    public = base64url.encode(bytes(signing_pair(owner, which).verify_key))
    return directory.SigningKey(kid=kid(owner, which), public=public, not_before=not_before, not_after=not_after)


def _record(owner: str, kind: str) -> directory.AgencyRecord:
    rich = owner == SENDER
    whichever = tuple(SIGNING_WINDOWS) if rich else ("current",)
    roles = ROLES | ({EXTRA_ROLE: (1,)} if owner == RECIPIENT else {})
    revoked = tuple(directory.Revocation(key=kid(owner, name), revoked_at=at) for name, at in REVOKED_AT.items())
    return directory.AgencyRecord(
        participant=owner,
        kind=kind,
        name=owner.title() + "-Test",
        identity=base64url.encode(entropy("identity " + owner)),
        signing=tuple(_signing(owner, which) for which in whichever),
        roles=tuple(_role(owner, role, opens) for role, opens in roles.items()) if owner == RECIPIENT else (),
        revocations=revoked if rich else (),
        author_roles=("coordinator", "adapter") if rich else None,
    )


def past_digest(version: int) -> bytes:
    """Give the hash of an earlier version of the directory."""
    return sha256(f"directory {version}".encode()).digest()


HISTORY = (
    directory.Past(version=6, digest=base64url.encode(past_digest(6)), superseded_at=T - HOUR),
    directory.Past(version=5, digest=base64url.encode(past_digest(5)), superseded_at=T - 72 * HOUR),
    directory.Past(version=4, digest=base64url.encode(past_digest(4)), superseded_at=T - 72 * HOUR - 1),
)
PAIRS = (
    *(directory.Pair(sender=name, recipient=RECIPIENT) for name in (SENDER, STRANGER, SUSPENDED)),
    directory.Pair(sender=SENDER, recipient=STRANGER),
    directory.Pair(sender=LIMITED, recipient=RECIPIENT, classes=("green",)),
)
KINDS = {SENDER: "la", RECIPIENT: "police", STRANGER: "education", SUSPENDED: "housing", UNRELATED: "fire"}
KINDS |= {LIMITED: "yot"}


@cache
def directory_of_the_vectors() -> directory.Directory:
    """Give version 7 of the directory, with three versions before it."""
    records = [_record(owner, kind) for owner, kind in KINDS.items()]
    return directory.Directory.build(7, records, PAIRS, suspended=[SUSPENDED], history=HISTORY)
