"""The tables of the hub's ledger: stubs, the directories they were verified by, refusals, quarantine and alerts.

What stands in them is what the outside of an envelope says and nothing else (design, "Never" 1).
The ledger is append-only: triggers refuse an update or a deletion, which stops mistakes; whoever may drop a trigger is
found out by the chain of hashes (`broker.ledger.chain`).
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    event,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
FORMAT: Final = 1


class Moment(TypeDecorator[datetime]):
    """An aware time as whole microseconds since 1970, which every database keeps exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Write it; raises TypeError for a time without a zone."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Read it back, in UTC."""
        return None if value is None else EPOCH + value * MICROSECOND


def microseconds(moment: datetime) -> int:
    """Give an aware time as whole microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


metadata: Final = MetaData()
_Counted = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself in INTEGER keys only

stubs: Final = Table(
    "stub_ledger",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("received_at", Moment, nullable=False),
    Column("ingress_owner", String(40), nullable=False),
    Column("mid", String(22), nullable=False),
    Column("thread", String(22), nullable=False),
    Column("sender", String(40), nullable=False),
    Column("recipient", String(40), nullable=False),
    Column("kid", String(22), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("prev", LargeBinary(32), nullable=False),
    Column("irt", String(22)),
    Column("lane", String(8), nullable=False),
    Column("service_class", String(16), nullable=False),
    Column("event", String(4), nullable=False),
    Column("t", BigInteger, nullable=False),
    Column("exp", BigInteger, nullable=False),
    Column("directory_version", BigInteger, nullable=False),
    Column("directory_digest", LargeBinary(32), nullable=False),
    Column("stub_hash", LargeBinary(32), nullable=False, unique=True),
    Column("checked_with", LargeBinary(32), nullable=False),
    Column("stub", LargeBinary, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index("stub_ledger_by_sender", "sender", "number"),
    Index("stub_ledger_by_recipient", "recipient", "number"),
)
"""One row a stub. `checked_with` names the row of `ledger_directory` by whose keys it was verified."""

head: Final = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
"""One row: how many entries there are and the hash of the last, so that cutting off the end is seen."""

directories: Final = Table(
    "ledger_directory",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

refusals: Final = Table(
    "refusal",
    metadata,
    Column("ingress_owner", String(40), primary_key=True),
    Column("code", String(3), primary_key=True),
    Column("detail", String(80), primary_key=True),
    Column("total", BigInteger, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)
"""Refused envelopes counted by who brought them in and why: a row never goes, and there are few."""

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("number", _Counted, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("ingress_owner", String(40), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("code", String(3), nullable=False),
    Column("detail", String(80), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("stub", LargeBinary),
)
"""What was refused: where it came from, its size and hash, and its stub where the core kept to its alphabet."""

alerts: Final = Table(
    "alert",
    metadata,
    Column("number", _Counted, primary_key=True),
    Column("key", String(200), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("participant", String(40), nullable=False),
    Column("peer", String(40), nullable=False),
    Column("reference", String(16), nullable=False),
    Column("code", String(40), nullable=False),
    Column("urgency", String(8), nullable=False),
    Column("telephone", String(40), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("cleared_at", Moment),
    Column("raising_told", Boolean, nullable=False),
    Column("clearing_told", Boolean, nullable=False),
    Index("alert_open", "key", "cleared_at"),
)
"""Alerts, open ones without `cleared_at`. The two last columns say what the sinks have been told."""

tellings: Final = Table(
    "alert_telling",
    metadata,
    Column("number", _Counted, primary_key=True),
    Column("alert", BigInteger, nullable=False),
    Column("desk", String(40), nullable=False),
    Column("rung", String(16), nullable=False),
    Column("post", String(24), nullable=False),
    Column("way", String(16), nullable=False),
    Column("place", Integer, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", Moment),
    Column("told_at", Moment),
    Column("fault", String(16), nullable=False),
    Column("receipt", String(64), nullable=False),
    UniqueConstraint("alert", "rung", "post", "way", "place", name="alert_telling_once"),
    Index("alert_telling_by_state", "state", "next_try_at"),
)
"""One row an alert, a post and a way of reaching it, so that no rung is told twice. Addresses are in the duty file."""

acknowledgements: Final = Table(
    "alert_acknowledgement",
    metadata,
    Column("alert", BigInteger, primary_key=True, autoincrement=False),
    Column("desk", String(40), nullable=False),
    Column("by", String(40), nullable=False),
    Column("at", Moment, nullable=False),
)
"""Who of which desk said first that an alert is seen: a post, never a person."""

ways: Final = Table(
    "alert_way",
    metadata,
    Column("desk", String(40), primary_key=True),
    Column("rung", String(16), primary_key=True),
    Column("post", String(24), primary_key=True),
    Column("way", String(16), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("fault", String(16), nullable=False),
    Column("failing_since", Moment),
    Column("worked_at", Moment),
)
"""How each way of reaching a post fares: a fault stands until that way has worked again."""

timers: Final = Table(
    "hub_timer",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("subject", String(120), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("fired_at", Moment),
    Column("lapsed_at", Moment),
    Index("hub_timer_standing", "lapsed_at", "key"),
)
"""Timers that fire once: `fired_at` is set by whoever claims the row, `lapsed_at` when nobody waits for it any more."""

clocks: Final = Table(
    "hub_clock",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("whose", String(40), nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("stopped_at", Moment),
)
"""Clocks of governance that somebody started by hand: an incident, a subject access request, a disagreement."""

_SQLITE_GUARD: Final = """
CREATE TRIGGER IF NOT EXISTS stub_ledger_{what} BEFORE {what} ON stub_ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
_POSTGRES_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION stub_ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE EXCEPTION ''the ledger is append-only''; END'
"""
_POSTGRES_GUARD: Final = """
CREATE TRIGGER stub_ledger_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON stub_ledger
FOR EACH STATEMENT EXECUTE FUNCTION stub_ledger_refuses()
"""
# Signatures and hashes do not compress: without this every stub would be tried.
_AS_IT_IS: Final = "ALTER TABLE stub_ledger ALTER COLUMN stub SET STORAGE EXTERNAL"
_AFTER_CREATE: Final = (
    ("sqlite", _SQLITE_GUARD.format(what="UPDATE")),
    ("sqlite", _SQLITE_GUARD.format(what="DELETE")),
    ("postgresql", _POSTGRES_FUNCTION),
    ("postgresql", _POSTGRES_GUARD),
    ("postgresql", _AS_IT_IS),
)
for _dialect, _statement in _AFTER_CREATE:
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one untyped
    event.listen(stubs, "after_create", _ddl.execute_if(dialect=_dialect))
