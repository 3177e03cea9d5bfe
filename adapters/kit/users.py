"""Who may act here: the named users of one adapter, their roles, their vetting, and when they were last trained.

Roles are taken literally: a role that a user does not hold is not theirs, and a higher role does not stand in for a
lower one. A user of whom no vetting is attested is not enrolled and can do nothing (GOV-16). A missing role is a
refusal (RSP-19), and so is an approval by somebody whose vetting has lapsed or is not of the class that the role
needs (`vetting_for`), or whose refresher is not on record, unless the adapter's file says
`untrained_approvers = "warn"`; everybody else's stale refresher is a warning (GOV-15).
A refusal and a warning name the user by the short name, never by the person's own.
"""

from datetime import date, timedelta
from typing import Final, Literal

from adapters.kit.refusal import Refused, refuse_if
from schemas.content.base import Content

TRAINING_VALID: Final = timedelta(days=366)


VettingClass = Literal["BPSS", "DBS", "SC", "CTC"]


class Vetting(Content):
    """One attestation of vetting and its last day (GOV-16, London §1.3). The certificate itself is not kept here."""

    level: VettingClass
    until: date


class User(Content):
    """One person who works with this adapter. `trained_on`: the last data-protection refresher."""

    name: str
    job_title: str
    roles: tuple[str, ...] = ()
    telephone: str | None = None
    trained_on: date | None = None
    vetting: tuple[Vetting, ...] = ()

    @property
    def signing_role(self) -> str:
        """The role that stands beside the user's name inside a message: the first one, or plainly `user`."""
        return self.roles[0] if self.roles else "user"


class Users(Content):
    """The users of one adapter, by the short name with which they sign in.

    `vetting_for`: the class of vetting that a role needs to approve; a role that is not named needs any.
    """

    by_id: dict[str, User]
    untrained_approvers: Literal["block", "warn"] = "block"
    vetting_for: dict[str, VettingClass] = {}

    def find(self, user_id: str) -> User:
        """Give the user. Raises `Refused` for somebody unknown, or of whom no vetting is attested (GOV-16)."""
        if user_id not in self.by_id:
            raise Refused([f"{user_id!r} is not a user of this adapter; its users are in adapter.toml"])
        user = self.by_id[user_id]
        if not user.vetting:
            raise Refused(
                [f"GOV-16: no vetting of {user_id} is attested; enter its level and last day in adapter.toml"]
            )
        return user

    def require(self, user_id: str, role: str) -> User:
        """Give the user if they hold `role`. Raises `Refused` otherwise."""
        user = self.find(user_id)
        if role not in user.roles:
            raise Refused([f"RSP-19: {user_id} does not hold the role {role}"])
        return user

    def require_trained(self, user_id: str, role: str, *, today: date) -> User:
        """Give the user if they may approve in `role` today (RSP-19, GOV-15, GOV-16). Raises `Refused` otherwise."""
        user = self.require(user_id, role)
        refuse_if(self._vetting_objections(user_id, user, role, today=today))
        stale = training_warning(user_id, user, today=today)
        if stale and self.untrained_approvers == "block":
            raise Refused([f"{stale}; somebody else approves, or the refresher is done and entered in adapter.toml"])
        return user

    def _vetting_objections(self, user_id: str, user: User, role: str, *, today: date) -> list[str]:
        """Say what the role's vetting lacks today; the last day of an attestation still counts."""
        current = {one.level for one in user.vetting if today <= one.until}
        wanted = self.vetting_for.get(role)
        if not current:
            return [f"RSP-19, GOV-16: the vetting of {user_id} has lapsed; somebody else approves, or it is renewed"]
        if wanted is not None and wanted not in current:
            return [f"RSP-19, GOV-16: {role} needs {wanted} vetting, and none of {user_id} is current"]
        return []

    def require_any(self, user_id: str, roles: frozenset[str], *, why: str) -> User:
        """Give the user if they hold one of `roles`. Raises `Refused`, saying why one is needed."""
        user = self.find(user_id)
        if not roles & set(user.roles):
            raise Refused([f"{why}: {user_id} holds none of {', '.join(sorted(roles))}"])
        return user


def training_warning(user_id: str, user: User, *, today: date) -> str | None:
    """Say that the refresher is missing or stale, or nothing (GOV-15)."""
    if user.trained_on is None or today - user.trained_on > TRAINING_VALID:
        return f"GOV-15: the data-protection refresher of {user_id} is not on record for the last twelve months"
    return None
