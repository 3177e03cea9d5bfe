"""Writing a letter to a file: who signs, what the ledger keeps of it, and every reason why there is none (DIS-11).

The letter is in the ledger before the file is written, with its digest and the items whose condition was said to be
lifted for the family; nobody but its writer can read the file.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.kit.refusal import Refused, refuse_if
from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.exporting import note, write_private
from adapters.la.console.letters import Kind, Letter, NotWritten, Sender, family_letter, referrer_letter
from adapters.la.console.office import Console
from adapters.la.console.pack import letter_pdf


@dataclass(frozen=True)
class Wanted:
    """Which letter: to whom, the early-help agency that the family hears of, the items that were confirmed for it."""

    to: Kind
    addressed_to: str = field(repr=False)
    early_help_agency: str | None = None
    confirmed: frozenset[str] = frozenset()


async def write_letter(console: Console, reference: str, wanted: Wanted, *, user: str, pdf: Path) -> Mapping[str, str]:
    """Write the letter and give its path. Raises `Refused` with every reason why there may be none."""
    refuse_if([] if wanted.addressed_to.strip() else ["name the person the letter is for: --addressed-to"])
    collation = await console.answers.collation(reference, user=user)
    refuse_if(_against_confirmed(wanted, collation))
    async with console.office.store.transaction() as tx:
        enquiry, _ = await console.office.read(tx, reference)
    sender = _sender(console, enquiry, user=user)
    letter = _letter(enquiry, collation, wanted, sender=sender, through=console.office.store.participant)
    at = collation.as_at
    printed = await asyncio.to_thread(lambda: letter_pdf(letter, printed_by=sender.name, printed_at=at))
    lifted = f"; confirmed for the family: {', '.join(sorted(wanted.confirmed))}" if wanted.confirmed else ""
    await note(console, reference, printed.entry.what + lifted, user=user)
    return {"pdf": write_private(pdf, printed.pdf)}


def _against_confirmed(wanted: Wanted, collation: Collation) -> Iterator[str]:
    if wanted.confirmed and wanted.to != "family":
        yield "DIS-03: an item is confirmed for the family alone; leave --confirmed out"
    for item in sorted(wanted.confirmed - {one.item.item for one in collation.items}):
        yield f"DIS-03: {item} is no item of this enquiry, so nobody has confirmed it"


def _sender(console: Console, enquiry: Enquiry, *, user: str) -> Sender:
    """Let the user sign, with the telephone number of theirs or else of the enquiry's requester."""
    signs, requester = console.office.users.find(user), enquiry.form.requester
    telephone = signs.telephone or requester.telephone
    if not telephone:
        raise Refused([f"DIS-11: a letter names a number to ring; enter a telephone for {user} in adapter.toml"])
    organisation = requester.organisation or console.office.register.area.name
    return Sender(name=signs.name, role=signs.job_title, organisation=organisation, telephone=telephone)


def _letter(enquiry: Enquiry, collation: Collation, wanted: Wanted, *, sender: Sender, through: str) -> Letter:
    if wanted.to == "referrer":
        written = referrer_letter(
            enquiry, collation, addressed_to=wanted.addressed_to, sender=sender, through=through, now=collation.as_at
        )
    else:
        written = family_letter(
            enquiry,
            collation,
            addressed_to=wanted.addressed_to,
            sender=sender,
            through=through,
            now=collation.as_at,
            early_help_agency=wanted.early_help_agency,
            confirmed=wanted.confirmed,
        )
    if isinstance(written, NotWritten):
        raise Refused(list(written.reasons))
    return written
