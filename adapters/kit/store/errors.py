"""What can go wrong with a store, sorted by whose fault it is; the docstring is what the operator reads.

The world's faults (`StoreUnavailable`, `CommitUnknown`) may be tried again. Ours and the machine's
(`StoreFault`) stop the adapter before it uses what it cannot trust. The caller's (`StoreRefusal`) change nothing.
No message holds a person's name, a number or content: references only. What an operator has to mend names its page of
`deploy/runbook/`, where the way back is.
"""

from typing import ClassVar


class StoreError(Exception):
    """The store could not do what was asked."""

    page: ClassVar[str] = ""

    def __init__(self, detail: str = "") -> None:
        """Say the docstring's first paragraph, then `detail` (references, never content) and the runbook's page."""
        plain = " ".join((type(self).__doc__ or "").split())
        more = "; ".join(filter(None, (detail, f"runbook: {self.page}" if self.page else "")))
        super().__init__(f"{plain} ({more})" if more else plain)


class StoreFault(StoreError):
    """The store cannot be trusted as it stands; the adapter stops."""

    page = "store-damaged"


class StoreRefusal(StoreError):
    """The store refused what was asked; nothing was changed."""


class StoreUnavailable(StoreError):
    """The database cannot be written just now: disk full, locked, or gone. Nothing was lost; free space or start it."""

    page = "database-unavailable"


class CommitUnknown(StoreUnavailable):
    """The connection broke during a commit: the work may or may not be stored. Repeat it with the same client key."""


class StoreInUse(StoreFault):
    """Another adapter is running on this store. Stop it first; two adapters must never share one store."""

    page = "store-in-use"


class LeaseLost(StoreFault):
    """Another adapter has taken this store over. This one stops and has written nothing since."""

    page = "store-in-use"


class WrongStoreKey(StoreFault):
    """The key of this adapter does not fit the store. Restore the key folder that belongs to it."""

    page = "wrong-store-key"


class WrongParticipant(StoreFault):
    """The store belongs to another participant. Check the database URL in the settings."""

    page = "wrong-participant"


class StoreDamaged(StoreFault):
    """The store is damaged: bytes on the disk are not what was written. Restore the last good backup."""

    page = "store-damaged"


class NotDurable(StoreFault):
    """The database does not promise to keep what it commits. Set fsync and synchronous_commit to on."""

    page = "not-durable"


class ClockWentBack(StoreFault):
    """The clock of this machine is behind what the store has already seen. Set the clock right, then start again."""

    page = "clock-went-back"


class NewerStore(StoreFault):
    """The store was written by a newer version of this program. Install that version."""

    page = "other-version"


class NotUpToDate(StoreFault):
    """The store was written by an older version of this program. Run `mash store set-up` with the adapter stopped."""

    page = "other-version"


class NotSetUp(StoreFault):
    """There is no store yet. Run `mash store set-up` once; it makes the store that adapter.toml names."""

    page = "not-set-up"


class LostUpdate(StoreRefusal):
    """Someone else changed this in the meantime. Read it again and repeat the change."""


class ContentErased(StoreRefusal):
    """The content was erased by schedule; its record of receipt remains."""


class InRecovery(StoreRefusal):
    """The store is older than what its partners have seen, so nothing is sent until it is reconciled."""

    page = "older-backup"


class CommandConflict(StoreRefusal):
    """This client key was used before for a different request."""


class TooLate(StoreRefusal):
    """The message was already released and can no longer be recalled."""


class NotYetSettled(StoreRefusal):
    """Something unconfirmed hangs on this content, so it is not erased."""


class NoNamedUser(StoreRefusal):
    """Content is opened only by a named user, and none was given."""


class NestedTransaction(StoreError):
    """A transaction was begun inside another one. Pass the open transaction on instead."""
