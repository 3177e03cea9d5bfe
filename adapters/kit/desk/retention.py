"""The requests at an answering agency as matters of retention: closed once answered or cancelled, thread and all."""

from adapters.kit.delivery.outbox import thread_key
from adapters.kit.desk.intake import KIND
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.running.retention import Matter
from adapters.kit.store.erasure import group_of_document
from adapters.kit.store.filing import read_all
from adapters.kit.store.transaction import Transaction

CLOSED = ("answered", "cancelled")


async def requests(tx: Transaction) -> list[Matter]:
    """Give every request; its clock starts with the last entry of its history, and a supplement starts it anew."""
    return [await _matter(tx, file) for file in await read_all(tx, RequestFile, KIND)]


async def _matter(tx: Transaction, file: RequestFile) -> Matter:
    closed = file.state in CLOSED and not any(one.answered_at is None for one in file.onward)
    key = file.rfi.rfi or file.mid
    documents = await group_of_document(tx, KIND, key)
    return Matter("request", file.history[-1].at if closed else None, (*documents, thread_key(file.thread)))
