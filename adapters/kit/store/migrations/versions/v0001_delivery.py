"""Everything a store begins with: documents, delivery, ledger, timers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.String(length=2), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert")),
    )
    op.create_table(
        "arrival_attempt",
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("body_hash", name=op.f("pk_arrival_attempt")),
    )
    op.create_table(
        "command",
        sa.Column("client_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("client_key", name=op.f("pk_command")),
    )
    op.create_table(
        "envelope",
        sa.Column("way", sa.String(length=3), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("whole", sa.Integer(), nullable=False),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("way", "ref", name=op.f("pk_envelope")),
    )
    op.create_table(
        "field_epoch",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_field_epoch")),
    )
    op.create_table(
        "inbox",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("thread", sa.String(length=22), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("stub_hash", sa.LargeBinary(), nullable=False),
        sa.Column("on_chain", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=True),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "mid", name=op.f("pk_inbox")),
    )
    op.create_index("ix_inbox_due_at", "inbox", ["due_at"], unique=False)
    op.create_index("ix_inbox_peer", "inbox", ["peer", "seq"], unique=False)
    op.create_index("ix_inbox_thread", "inbox", ["thread"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
    )
    op.create_table(
        "outbox",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("sort", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("thread", sa.String(length=22), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("mid", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("stub_hash", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("draft", sa.LargeBinary(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("silences", sa.Integer(), nullable=False),
        sa.Column("reseals", sa.Integer(), nullable=False),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("code", sa.String(length=24), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
        sa.UniqueConstraint("mid", name=op.f("uq_outbox_mid")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_outbox_supersedes")),
    )
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"], unique=False)
    op.create_index("ix_outbox_in_reply_to", "outbox", ["in_reply_to"], unique=False)
    op.create_index("ix_outbox_recipient", "outbox", ["recipient", "seq"], unique=True)
    op.create_index("ix_outbox_thread", "outbox", ["thread"], unique=False)
    op.create_table(
        "pair",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("sent_seq", sa.BigInteger(), nullable=False),
        sa.Column("sent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("seen_seq", sa.BigInteger(), nullable=False),
        sa.Column("peer_seen", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_pair")),
    )
    op.create_table(
        "quarantine",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ingress_owner", sa.Text(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "store_meta",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("ledger_count", sa.BigInteger(), nullable=False),
        sa.Column("ledger_head", sa.LargeBinary(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_store_meta")),
    )
    op.create_table(
        "timer",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("fired_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "ref", name=op.f("pk_timer")),
    )
    op.create_index("ix_timer_due_at", "timer", ["fired_at", "due_at"], unique=False)
    op.create_table(
        "record_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("retention", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("erase_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["field_epoch.epoch"], name=op.f("fk_record_key_epoch")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_record_key")),
    )
    op.create_index("ix_record_key_erase_at", "record_key", ["erase_at"], unique=False)
    op.create_table(
        "document",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("guard", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["record_key.key_id"], name=op.f("fk_document_key_id")),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_document")),
    )
    op.create_index("ix_document_key_id", "document", ["key_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index("ix_document_key_id", table_name="document")
    op.drop_table("document")
    op.drop_index("ix_record_key_erase_at", table_name="record_key")
    op.drop_table("record_key")
    op.drop_index("ix_timer_due_at", table_name="timer")
    op.drop_table("timer")
    op.drop_table("store_meta")
    op.drop_table("quarantine")
    op.drop_table("pair")
    op.drop_index("ix_outbox_thread", table_name="outbox")
    op.drop_index("ix_outbox_recipient", table_name="outbox")
    op.drop_index("ix_outbox_in_reply_to", table_name="outbox")
    op.drop_index("ix_outbox_due_at", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("ledger")
    op.drop_index("ix_inbox_thread", table_name="inbox")
    op.drop_index("ix_inbox_peer", table_name="inbox")
    op.drop_index("ix_inbox_due_at", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("field_epoch")
    op.drop_table("envelope")
    op.drop_table("command")
    op.drop_table("arrival_attempt")
    op.drop_table("alert")
