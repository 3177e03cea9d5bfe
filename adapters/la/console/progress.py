"""How far each request has come at the agency that was asked: kept beside the enquiry, because it changes by itself."""

from adapters.kit.store.filing import write
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrived import Progress

PROGRESS = "progress"


async def read_progress(tx: Transaction, rfi: str) -> tuple[Progress, int | None]:
    """Give what is known of a request's way, and the version; nothing is known until the agency says something."""
    document = await tx.get(PROGRESS, rfi)
    if document is None:
        return Progress(), None
    return Progress.model_validate_json(document.plain), document.version


async def note_progress(tx: Transaction, rfi: str, **changes: object) -> None:
    """Write down what has changed."""
    known, version = await read_progress(tx, rfi)
    await write(tx, PROGRESS, rfi, known.model_copy(update=changes), version=version)
