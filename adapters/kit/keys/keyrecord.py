"""What an agency publishes, out of what it stores: public halves, windows and revocations, and nothing private."""

from adapters.kit.keys.keyfile import KeyFile, StoredKey, StoredRole
from schemas import directory


def identity_of(content: KeyFile) -> StoredKey:
    """Give the identity key in force: the youngest."""
    return max(content.of_use("identity"), key=lambda key: key.not_before)


def _role(role: StoredRole, content: KeyFile) -> directory.Role:
    prekeys = tuple(
        directory.Prekey(id=key.id, public=key.public, not_before=key.not_before, not_after=key.not_after)
        for key in content.of_use("prekey")
        if key.role == role.id
    )
    return directory.Role(name=role.name, id=role.id, opens=role.opens, prekeys=prekeys)


def public_record(content: KeyFile) -> directory.AgencyRecord:
    """Make the record of an agency (SPEC 7.1)."""
    return directory.AgencyRecord(
        participant=content.participant,
        kind=content.kind,
        name=content.name,
        identity=identity_of(content).public,
        signing=tuple(
            directory.SigningKey(kid=key.id, public=key.public, not_before=key.not_before, not_after=key.not_after)
            for key in content.of_use("signing")
        ),
        roles=tuple(_role(role, content) for role in content.roles),
        revocations=content.revocations,
        duty_telephone=content.duty_telephone,
    )
