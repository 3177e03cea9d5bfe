"""Sealed documents: the domain's own state, a generic table so that nobody above the store writes SQL.

Guarantees: content is always sealed, bound to its kind, key and version; an update that has not seen the last version
raises LostUpdate; opening for a person is written to the ledger first (REC-05), under that person's user id.
`kind` and `key` are references without personal data: they lie on the disk in clear.
"""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from adapters.kit.store import ledger
from adapters.kit.store.errors import LostUpdate, NoNamedUser
from adapters.kit.store.sealed_fields import Place
from adapters.kit.store.session import Row, SealedValue, Session
from adapters.kit.store.tables import document, record_key

DEFAULT_RETENTION: Final = "enquiry"


@dataclass(frozen=True)
class Document:
    """One document as it stood at `version` (1, 2, …). The content is not printed."""

    kind: str
    key: str
    version: int
    plain: bytes = field(repr=False)


def _place(kind: str, key: str, version: int) -> Place:
    return Place("document", f"{kind}/{key}", f"content/{version}")


async def put(session: Session, document_: Document, *, retention: str, group: str | None) -> int:
    """Store the next version; `document_.version` is the version the caller has seen, 0 for a new document.

    Documents with the same `group` share a data key and are erased together.
    """
    kind, key, version = document_.kind, document_.key, document_.version + 1
    row = await session.find(document, document.c.kind == kind, document.c.key == key)
    if (row["version"] if row else 0) != document_.version:
        raise LostUpdate(f"{kind}/{key}")
    key_id = row["key_id"] if row else group or f"document/{kind}/{key}"
    sealed = await session.seal(document_.plain, place=_place(kind, key, version), retention=retention, key_id=key_id)
    values = {"version": version, "epoch": sealed.epoch, "content": sealed.sealed, "changed_at": session.now}
    if row:
        await session.change(document, row, **values)
    else:
        await session.insert(document, {"kind": kind, "key": key, "key_id": key_id, **values})
    return version


async def get(session: Session, kind: str, key: str) -> Document | None:
    """Return the document for the program's own use, or None."""
    row = await session.find(document, document.c.kind == kind, document.c.key == key)
    return None if row is None else await _opened(session, row)


async def listed(session: Session, kind: str) -> list[Document]:
    """Return every document of a kind that has not been erased, ordered by key."""
    kept = select(document).join(record_key, document.c.key_id == record_key.c.key_id)
    mine = kept.where(document.c.kind == kind, record_key.c.erased_at.is_(None))
    rows = await session.select(document, mine.order_by(document.c.key))
    return [await _opened(session, row) for row in rows]


async def opened_by(session: Session, kind: str, key: str, *, user: str) -> Document | None:
    """Open a document for a person: the access is in the ledger before the content is decrypted (REC-05).

    Raises NoNamedUser for an empty user; a ledger that cannot be written raises before anything is opened.
    """
    if not user.strip():
        raise NoNamedUser
    row = await session.find(document, document.c.kind == kind, document.c.key == key)
    refs = {"kind": kind, "key": key, "user": user, "found": "yes" if row else "no"}
    await ledger.append(session, "content.opened", refs=refs)
    await session.flush()  # a ledger that does not take the entry refuses before anything is decrypted
    return None if row is None else await _opened(session, row)


async def _opened(session: Session, row: Row) -> Document:
    kind, key, version = row["kind"], row["key"], row["version"]
    sealed = SealedValue(row["key_id"], row["epoch"], row["content"])
    return Document(kind, key, version, await session.open(sealed, place=_place(kind, key, version)))
