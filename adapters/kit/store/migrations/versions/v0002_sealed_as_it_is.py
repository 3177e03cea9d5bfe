"""PostgreSQL stores what is sealed as it is: ciphertext does not compress, and trying costs more than writing it."""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SEALED = (
    ("envelope", "body"),
    ("document", "content"),
    ("outbox", "draft"),
    ("ledger", "detail"),
    ("command", "answer"),
    ("quarantine", "body"),
)


def upgrade() -> None:
    """Say so of every column of any size; rows that stand there already stay as they are."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column in _SEALED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Let PostgreSQL try again."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column in _SEALED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTENDED")
