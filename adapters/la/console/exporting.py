"""Writing the takeaways of an enquiry to files: the decision pack as PDF, the collation as JSON, the handover.

Each act is in the ledger before a file is written (DIS-14, REC-05); what may not be taken away is not in the file.
"""

from collections.abc import Mapping
from pathlib import Path

from adapters.kit.refusal import Refused
from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.export import collation_json
from adapters.la.console.handover import items_for
from adapters.la.console.office import Console
from adapters.la.console.pack import collation_pdf
from schemas.content.codes import Audience


async def write_exports(
    console: Console, reference: str, *, user: str, pdf: Path | None, json_file: Path | None
) -> Mapping[str, str]:
    """Write what was asked for and give the paths by format. Raises `Refused` where nothing was asked for."""
    if pdf is None and json_file is None:
        raise Refused(["name a file: --pdf for the decision pack, --json-file for the collation"])
    office = console.office
    collation = await console.answers.collation(reference, user=user)
    formats = [name for name, path in (("pdf", pdf), ("json", json_file)) if path is not None]
    async with office.store.transaction() as tx:
        await tx.record("exported", refs={"enquiry": reference, "user": user, "formats": " ".join(formats)})
    return write_collation(collation, printed_by=office.users.find(user).name, pdf=pdf, json_file=json_file)


def write_collation(
    collation: Collation, *, printed_by: str, pdf: Path | None = None, json_file: Path | None = None
) -> Mapping[str, str]:
    """Write a collation as PDF and JSON. Raises `Refused` where a file cannot be written."""
    written: dict[str, str] = {}
    try:
        if pdf is not None:
            pdf.parent.mkdir(parents=True, exist_ok=True)
            pdf.write_bytes(collation_pdf(collation, printed_by=printed_by, printed_at=collation.as_at).pdf)
            written["pdf"] = str(pdf)
        if json_file is not None:
            json_file.parent.mkdir(parents=True, exist_ok=True)
            json_file.write_text(collation_json(collation), "utf-8")
            written["json"] = str(json_file)
    except OSError as fault:
        raise Refused([f"{fault.filename}: {fault.strerror}; name another place"]) from None
    return written


async def hand_over_permitted(console: Console, reference: str, service: str, *, user: str) -> Enquiry:
    """Hand over every item that may go to the receiving service, and none besides (DIS-09)."""
    collation = await console.answers.collation(reference, user=user)
    items = tuple(one.item.item for one in items_for(collation, Audience.RECEIVING_SERVICE))
    return await console.decision_maker.hand_over(reference, service, items, user=user)
