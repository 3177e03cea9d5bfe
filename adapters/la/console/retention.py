"""The enquiries of the office as matters of retention: closed once decided, with every answer and every thread."""

from adapters.kit.delivery.outbox import thread_key
from adapters.kit.running.retention import Matter
from adapters.kit.store.erasure import group_of_document, groups_of_documents
from adapters.kit.store.filing import read_all
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrivals import KIND as ANSWER
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.progress import PROGRESS
from adapters.la.console.workroom import KIND


async def enquiries(tx: Transaction) -> list[Matter]:
    """Give every enquiry; its clock starts with the last entry after the decision, when no correction is open."""
    return [await _matter(tx, enquiry) for enquiry in await read_all(tx, Enquiry, KIND)]


async def _matter(tx: Transaction, enquiry: Enquiry) -> Matter:
    groups = [*await group_of_document(tx, KIND, enquiry.reference)]
    groups += await groups_of_documents(tx, ANSWER, begin=f"{enquiry.reference}/")
    for issued in enquiry.issued:
        groups += [*await group_of_document(tx, PROGRESS, issued.rfi), thread_key(issued.thread)]
    open_ = enquiry.decided is None or any(task.acknowledged_at is None for task in enquiry.corrections)
    return Matter("enquiry", None if open_ else enquiry.history[-1].at, tuple(dict.fromkeys(groups)))
