"""What the ledger keeps of an answer: each decision, and what was written down to show that it is lawful (REC-01).

Runs in the transaction that sends: where it cannot be written, nothing is sent.
"""

import json
from collections.abc import Sequence

from adapters.kit.desk.answer import Judged
from adapters.kit.desk.proposal import Proposal
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.store.transaction import Transaction


async def record_decisions(tx: Transaction, file: RequestFile, judged: Sequence[Judged], *, user: str) -> None:
    """Write one entry for each decision that an answer or a correction carries out.

    Kept with it, sealed: the rules' hash, the rules that determined it, and the facts that it saw, to the byte, so that
    in another year the hash of the facts can be held against them and the decision made again.
    """
    for one in judged:
        decided = {**one.decision.as_plain(), "facts": one.decision.facts}
        plain = {"decision": decided, "outcome": one.outcome, "sent_by": user}
        refs = {"enquiry": file.rfi.enquiry, "rfi": file.rfi.rfi or "", "item": one.candidate.item}
        await tx.record("decision", refs=refs, detail=json.dumps(plain, sort_keys=True, default=str).encode())


async def record_lawfulness(tx: Transaction, proposal: Proposal, *, user: str) -> None:
    """Write what the practitioner recorded, and what was warned of; nothing where nothing was recorded."""
    file = proposal.file
    if file.lawful is None and not proposal.warnings:
        return
    notes = file.lawful.model_dump(mode="json", exclude_none=True) if file.lawful else {}
    plain = {"notes": notes, "warned": list(proposal.warnings), "sent_by": user}
    refs = {"enquiry": file.rfi.enquiry, "rfi": file.rfi.rfi or ""}
    await tx.record("lawfulness", refs=refs, detail=json.dumps(plain, sort_keys=True, ensure_ascii=False).encode())
