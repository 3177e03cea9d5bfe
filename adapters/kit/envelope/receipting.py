"""Receipts as envelopes: sealed like any other, of kind 2, in the lane of receipts, with the receipt for the team."""

from datetime import datetime

from adapters.kit.envelope.sealing import Author, Chain, Outgoing, Sealed, Section, seal
from adapters.kit.envelope.verification import Opened
from adapters.kit.keys.in_use import SenderKeys
from schemas.directory import Directory
from schemas.receipt import Receipt, parse_receipt
from schemas.routing import Lane
from schemas.stub import Event

ADAPTER = Author(user="adapter", role="adapter")


class NoReceipt(Exception):
    """An authentic envelope of kind receipt holds no receipt: quarantine it and tell the partner's team (E23)."""


def seal_receipt(
    receipt: Receipt,
    *,
    recipient: str,
    thread: str,
    in_reply_to: str,
    keys: SenderKeys,
    directory: Directory,
    chain: Chain,
    now: datetime,
) -> Sealed:
    """Seal a receipt for the sender of the envelope `in_reply_to`. Raises a `CannotSeal`."""
    outgoing = Outgoing(
        recipient=recipient,
        thread=thread,
        event=Event.RECEIPT,
        lane=Lane.RECEIPT,
        service_class="receipt",
        in_reply_to=in_reply_to,
        sections={Section.TEAM: receipt.to_bytes()},
        author=ADAPTER,
        purpose="receipt",
    )
    return seal(outgoing, keys=keys, directory=directory, chain=chain, now=now)


def read_receipt(opened: Opened) -> Receipt:
    """Read the receipt out of an opened envelope. Raises `NoReceipt` unless it is one in its strict form."""
    receipt = parse_receipt(opened.sections.get(Section.TEAM, b""))
    if receipt is None:
        raise NoReceipt
    return receipt
