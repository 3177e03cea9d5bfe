"""Who may act here: the named users of one adapter, the roles they hold, and when they were last trained.

Roles are taken literally: a role that a user does not hold is not theirs, and a higher role does not stand in for a
lower one. A missing role is a refusal (RSP-19), and so is an approval by somebody whose refresher is not on record,
unless the adapter's file says `untrained_approvers = "warn"`; everybody else's stale refresher is a warning (GOV-15).
A refusal and a warning name the user by the short name, never by the person's own.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Literal

from adapters.kit.refusal import Refused
from schemas.content.base import Content

TRAINING_VALID: Final = timedelta(days=366)


class User(Content):
    """One person who works with this adapter. `trained_on`: the last data-protection refresher."""

    name: str
    job_title: str
    roles: tuple[str, ...] = ()
    telephone: str | None = None
    trained_on: date | None = None

    @property
    def signing_role(self) -> str:
        """The role that stands beside the user's name inside a message: the first one, or plainly `user`."""
        return self.roles[0] if self.roles else "user"


class Users(Content):
    """The users of one adapter, by the short name with which they sign in."""

    by_id: dict[str, User]
    untrained_approvers: Literal["block", "warn"] = "block"

    def find(self, user_id: str) -> User:
        """Give the user. Raises `Refused` for somebody unknown."""
        if user_id not in self.by_id:
            raise Refused([f"{user_id!r} is not a user of this adapter; its users are in adapter.toml"])
        return self.by_id[user_id]

    def require(self, user_id: str, role: str) -> User:
        """Give the user if they hold `role`. Raises `Refused` otherwise."""
        user = self.find(user_id)
        if role not in user.roles:
            raise Refused([f"RSP-19: {user_id} does not hold the role {role}"])
        return user

    def require_trained(self, user_id: str, role: str, *, today: date) -> User:
        """Give the user if they may approve in `role` today (RSP-19, GOV-15). Raises `Refused` otherwise."""
        user = self.require(user_id, role)
        stale = training_warning(user_id, user, today=today)
        if stale and self.untrained_approvers == "block":
            raise Refused([f"{stale}; somebody else approves, or the refresher is done and entered in adapter.toml"])
        return user

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


def users_from(plain: Mapping[str, Mapping[str, object]]) -> Users:
    """Read the `[users.*]` tables of adapter.toml. Raises `pydantic.ValidationError`."""
    return Users.from_plain({"by_id": plain})
