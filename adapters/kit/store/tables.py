"""The tables of a store, for SQLite and PostgreSQL alike; `migrations/` makes them, a test holds the two equal.

Columns that are not sealed hold references, states, times and hashes only: no name, no number of a person, no content.
Sealed columns are `LargeBinary` and open only through `sealed_fields`. Times are UTC, stored as whole microseconds,
so that both databases compare them alike. Rows with a `guard` column are written and read through `session.py` only.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_microseconds(value: datetime | None) -> int | None:
    """Write an aware time as the databases keep it."""
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def from_microseconds(value: int | None) -> datetime | None:
    """Read a time as the databases keep it."""
    return None if value is None else _EPOCH + value * _MICROSECOND


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time kept as microseconds since 1970; refuses a naive one."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a time into microseconds."""
        return to_microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a time."""
        return from_microseconds(value)


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def _need(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _may(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, nullable=False, autoincrement=False)


store_meta = Table(
    "store_meta",
    METADATA,
    _key("one", Integer),
    _need("participant", String(40)),
    _need("mode", String(16)),
    _need("lease", BigInteger),
    _need("ledger_count", BigInteger),
    _need("ledger_head", LargeBinary),
    _need("latest", UtcTime),
    _need("guard", LargeBinary),
)

field_epoch = Table(
    "field_epoch",
    METADATA,
    _key("epoch", Integer),
    _need("wrapped", LargeBinary),
    _need("made_at", UtcTime),
)

record_key = Table(
    "record_key",
    METADATA,
    _key("key_id"),
    _need("retention", String(40)),
    Column("epoch", Integer, ForeignKey("field_epoch.epoch"), nullable=False),
    _may("wrapped", LargeBinary),
    _need("made_at", UtcTime),
    _may("erase_at", UtcTime),
    _may("erased_at", UtcTime),
    _need("guard", LargeBinary),
    Index("ix_record_key_erase_at", "erase_at"),
)

document = Table(
    "document",
    METADATA,
    _key("kind", String(40)),
    _key("key"),
    _need("version", Integer),
    Column("key_id", Text, ForeignKey("record_key.key_id"), nullable=False),
    _need("epoch", Integer),
    _need("content", LargeBinary),
    _need("changed_at", UtcTime),
    _need("guard", LargeBinary),
    Index("ix_document_key_id", "key_id"),
)

ledger = Table(
    "ledger",
    METADATA,
    _key("number", BigInteger),
    _need("at", UtcTime),
    _need("event", String(60)),
    _need("refs", Text),
    _may("key_id", Text),
    _need("epoch", Integer),
    _need("detail", LargeBinary),
    _need("previous", LargeBinary),
    _need("hash", LargeBinary),
)

pair = Table(
    "pair",
    METADATA,
    _key("peer", String(40)),
    _need("sent_seq", BigInteger),
    _need("sent_hash", LargeBinary),
    _need("seen_seq", BigInteger),
    _need("peer_seen", BigInteger),
    _need("guard", LargeBinary),
)

outbox_rows = Table(
    "outbox",
    METADATA,
    _key("ref"),
    _need("sort", String(16)),
    _need("recipient", String(40)),
    _need("thread", String(22)),
    _need("event", String(8)),
    _need("lane", String(8)),
    _need("state", String(16)),
    _may("in_reply_to", Text),
    _may("idempotency_key", Text),
    _may("mid", Text),
    _may("seq", BigInteger),
    _may("stub_hash", LargeBinary),
    _may("expires_at", UtcTime),
    _may("key_id", Text),
    _may("epoch", Integer),
    _may("draft", LargeBinary),
    _need("attempt", Integer),
    _need("silences", Integer),
    _need("reseals", Integer),
    _may("supersedes", Text),
    _may("code", String(24)),
    _may("due_at", UtcTime),
    _need("made_at", UtcTime),
    _may("confirmed_at", UtcTime),
    _may("received_at", UtcTime),
    _may("opened_at", UtcTime),
    _may("closed_at", UtcTime),
    _need("guard", LargeBinary),
    UniqueConstraint("mid"),
    UniqueConstraint("idempotency_key"),
    UniqueConstraint("supersedes"),
    Index("ix_outbox_due_at", "due_at"),
    Index("ix_outbox_recipient", "recipient", "seq", unique=True),
    Index("ix_outbox_thread", "thread"),
    Index("ix_outbox_in_reply_to", "in_reply_to"),
)

inbox_rows = Table(
    "inbox",
    METADATA,
    _key("peer", String(40)),
    _key("mid"),
    _need("thread", String(22)),
    _need("event", String(8)),
    _need("lane", String(8)),
    _may("in_reply_to", Text),
    _need("seq", BigInteger),
    _need("prev", LargeBinary),
    _need("stub_hash", LargeBinary),
    _need("on_chain", Integer),
    _need("state", String(16)),
    _may("code", String(24)),
    _need("opens", Integer),
    _need("failures", Integer),
    _may("due_at", UtcTime),
    _need("received_at", UtcTime),
    _may("applied_at", UtcTime),
    _need("guard", LargeBinary),
    Index("ix_inbox_due_at", "due_at"),
    Index("ix_inbox_peer", "peer", "seq"),
    Index("ix_inbox_thread", "thread"),
)

# The sealed bytes lie apart from the state, so that a move of state does not rewrite them, and retention can drop them.
envelope = Table(
    "envelope",
    METADATA,
    _key("way", String(3)),
    _key("ref"),
    _need("body", LargeBinary),
    _need("whole", Integer),
    _need("guard", LargeBinary),
)

arrival_attempt = Table(
    "arrival_attempt",
    METADATA,
    _key("body_hash", LargeBinary),
    _need("attempts", Integer),
    _need("first_at", UtcTime),
)

# Unauthenticated input: nothing in it is believed, it is bounded, and it is kept only for whoever investigates.
quarantine = Table(
    "quarantine",
    METADATA,
    _key("number", BigInteger),
    _need("at", UtcTime),
    _need("ingress_owner", Text),
    _need("lane", String(8)),
    _need("code", String(24)),
    _need("size", BigInteger),
    _need("body", LargeBinary),
)

timer = Table(
    "timer",
    METADATA,
    _key("kind", String(40)),
    _key("ref"),
    _need("due_at", UtcTime),
    _may("fired_at", UtcTime),
    _need("guard", LargeBinary),
    Index("ix_timer_due_at", "fired_at", "due_at"),
)

command = Table(
    "command",
    METADATA,
    _key("client_key"),
    _need("request_hash", LargeBinary),
    _need("key_id", Text),
    _need("epoch", Integer),
    _need("answer", LargeBinary),
    _need("made_at", UtcTime),
    _need("guard", LargeBinary),
)

alert = Table(
    "alert",
    METADATA,
    _key("alert_id"),
    _need("at", UtcTime),
    _need("priority", String(2)),
    _need("code", String(40)),
    _need("refs", Text),
    _may("sent_at", UtcTime),
    _may("cleared_at", UtcTime),
    _need("guard", LargeBinary),
)
