"""The answers of an enquiry in the store: read all of them, or one to be changed."""

from adapters.kit.store.filing import read
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrived import Arrived

KIND = "answer"


async def arrivals(tx: Transaction, reference: str) -> list[Arrived]:
    """Give every answer to an enquiry in the order of arrival, with the sealed parts that have been opened."""
    found = [
        Arrived.model_validate_json(document.plain)
        for document in await tx.list(KIND)
        if document.key.split("/")[0] == reference
    ]
    return sorted(found, key=lambda one: (one.at, one.response.part))


async def read_arrived(tx: Transaction, key: str) -> tuple[Arrived, int]:
    """Give one answer and its version."""
    return await read(tx, Arrived, KIND, key)
