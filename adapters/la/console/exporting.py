"""Writing the takeaways of an enquiry to files: the decision pack as PDF, the collation as JSON, the handover pack.

Each act is in the ledger before a file is written (DIS-14, REC-05), a print with its digest; what may not be taken
away is not in the file; and nobody but the one who wrote it can read it.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from adapters.kit.refusal import Refused
from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.export import collation_json
from adapters.la.console.handover import handover_pack, items_for
from adapters.la.console.office import Console
from adapters.la.console.pack import Printed, collation_pdf, handover_pdf
from schemas.content.codes import Audience

READABLE_BY_OWNER = 0o600


async def write_exports(
    console: Console, reference: str, *, user: str, pdf: Path | None, json_file: Path | None
) -> Mapping[str, str]:
    """Write what was asked for and give the paths by format. Raises `Refused` where nothing was asked for."""
    if pdf is None and json_file is None:
        raise Refused(["name a file: --pdf for the decision pack, --json-file for the collation"])
    collation = await console.answers.collation(reference, user=user)
    written: dict[str, str] = {}
    if pdf is not None:
        printed = await print_collation(collation, printed_by=console.office.users.find(user).name)
        await note(console, reference, printed.entry.what, user=user)
        written["pdf"] = write_private(pdf, printed.pdf)
    if json_file is not None:
        await note(console, reference, "exported as JSON", user=user)
        written["json"] = write_private(json_file, collation_json(collation).encode())
    return written


async def print_collation(collation: Collation, *, printed_by: str) -> Printed:
    """Print a collation for its reader; typesetting takes a while and runs beside the loop."""
    return await asyncio.to_thread(lambda: collation_pdf(collation, printed_by=printed_by, printed_at=collation.as_at))


def write_private(path: Path, content: bytes) -> str:
    """Write a file that only its owner can read and give its path. Raises `Refused` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, READABLE_BY_OWNER)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, READABLE_BY_OWNER)
            file.write(content)
    except OSError as fault:
        raise Refused([f"{fault.filename}: {fault.strerror}; name another place"]) from None
    return str(path)


async def hand_over_permitted(
    console: Console, reference: str, service: str, *, user: str, pdf: Path | None = None
) -> Enquiry:
    """Hand over every item that may go to the receiving service, and none besides (DIS-09), as a pack if asked for."""
    office = console.office
    collation = await console.answers.collation(reference, user=user)
    items = tuple(one.item.item for one in items_for(collation, Audience.RECEIVING_SERVICE))
    enquiry = await console.decision_maker.hand_over(reference, service, items, user=user)
    if pdf is not None:
        name = office.users.find(user).name
        pack = handover_pack(
            collation,
            audience=Audience.RECEIVING_SERVICE,
            made_by=name,
            made_at=collation.as_at,
            through=office.store.participant,
            use_after_mash=office.register.use_after_mash,
        )
        printed = await asyncio.to_thread(lambda: handover_pdf(pack, printed_by=name, printed_at=collation.as_at))
        await note(console, reference, printed.entry.what, user=user)
        write_private(pdf, printed.pdf)
    return enquiry


async def note(console: Console, reference: str, what: str, *, user: str) -> None:
    """Put into the ledger that something of an enquiry is taken away, by whom (DIS-14, REC-05)."""
    async with console.office.store.transaction() as tx:
        await tx.record("taken away", refs={"enquiry": reference, "user": user, "what": what})
