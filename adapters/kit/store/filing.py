"""Request files and other models in the store: read one, change it, write it back, all in one transaction.

Every content model is kept as a sealed document; its key is a reference and says nothing about a person.
"""

from typing import TypeVar

from adapters.kit.store.errors import ContentErased
from adapters.kit.store.transaction import Transaction
from schemas.content.base import Content

Model = TypeVar("Model", bound=Content)


class NotHere(Exception):
    """There is no file with that reference in this adapter's store."""


class Erased(NotHere):
    """It was erased by its schedule; that it was here, and its receipts, are still on record."""


async def read(tx: Transaction, model: type[Model], kind: str, key: str) -> tuple[Model, int]:
    """Give the model and the version it was read at. Raises `NotHere`, and `Erased`, which is one."""
    try:
        document = await tx.get(kind, key)
    except ContentErased:
        raise Erased(f"{kind} {key}") from None
    if document is None:
        raise NotHere(f"{kind} {key}")
    return model.model_validate_json(document.plain), document.version


async def write(tx: Transaction, kind: str, key: str, model: Content, *, version: int | None) -> None:
    """Write the model if nobody changed it since `version`; None means that it is new."""
    await tx.put(kind, key, model.model_dump_json().encode(), expect_version=version)


async def read_all(tx: Transaction, model: type[Model], kind: str) -> tuple[Model, ...]:
    """Give every model of a kind, oldest first."""
    return tuple(model.model_validate_json(document.plain) for document in await tx.list(kind))
