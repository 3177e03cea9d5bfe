"""Whoever asked has left: the desk stops work on its requests, for there is nobody left to answer (GOV-10)."""

from typing import Final

from adapters.kit.desk.intake import KIND
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.store.alarms import Priority
from adapters.kit.store.filing import write
from adapters.kit.store.transaction import Transaction
from schemas.content.notice import Cancellation

LEFT: Final = "participant_left"
REASON: Final = "whoever asked is no party to the agreement any more"
_OVER: Final = frozenset({"answered", "cancelled"})


async def close_requests_of(tx: Transaction, participant: str) -> int:
    """Stop every request of `participant` that is not over, with an alarm for each; gives how many."""
    stopped = 0
    for document in await tx.list(KIND):
        file = RequestFile.model_validate_json(document.plain)
        if file.sender == participant and file.state not in _OVER:
            await _stop(tx, document.key, file, version=document.version)
            stopped += 1
    return stopped


async def _stop(tx: Transaction, key: str, file: RequestFile, *, version: int) -> None:
    told = Cancellation(enquiry=file.rfi.enquiry, rfi=key, reason=REASON, cancelled_at=tx.now)
    changed = file.noting(LEFT, at=tx.now, by="adapter", cancellation=told, state="cancelled")
    await write(tx, KIND, key, changed, version=version)
    refs = {"rfi": key, "from": file.sender}
    await tx.record("participant left", refs=refs)
    await tx.alarm(f"{LEFT}/{key}", priority=Priority.P2, code="participant-left", refs=refs)
