"""Evidence out of two real stores: each side exports what it sent and received, and it verifies ten years on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.envelope.sealing import Author, Outgoing, Section, new_thread
from adapters.kit.envelope.verification import Refusal, open_arrival
from adapters.kit.evidence.bundle import proofs_for, read_bundle, write_bundle
from adapters.kit.evidence.findings import verify_bundle
from adapters.kit.evidence.source import NothingHere, Open, exhibits
from broker.directory.proof import Archive
from schemas.directory import Directory
from schemas.routing import Lane
from schemas.stub import Event
from tests.support.envelopes import TEXTS
from tests.support.parties import ALL_ROLES, NOW, Party
from tests.support.stations import FakeClock, Road, Station, settle, station
from tests.unit.directory.verifying import LATER


def envelopes_of(party: Party, directory: Directory) -> KeyedEnvelopes:
    def recipient(now: object) -> object:
        return party.recipient()

    return KeyedEnvelopes(party.name, party.sender, recipient, lambda: directory)  # type: ignore[arg-type]  # as named


@pytest.fixture
async def pair(
    tmp_path: Path, council: Party, police: Party, directory: Directory
) -> AsyncIterator[tuple[Station, Station]]:
    road, clock = Road(), FakeClock(NOW)
    mine, theirs = (envelopes_of(party, directory) for party in (council, police))
    async with (
        station(council.name, f"sqlite:///{tmp_path}/la.db", road=road, clock=clock, envelopes=mine) as asking,
        station(police.name, f"sqlite:///{tmp_path}/police.db", road=road, clock=clock, envelopes=theirs) as asked,
    ):
        yield asking, asked


def request(thread: str) -> Outgoing:
    author = Author("coordinator-1", "coordinator")
    ends = {"recipient": "testford-police", "thread": thread, "in_reply_to": None, "purpose": "mash_enquiry"}
    return Outgoing(event=Event.REQUEST, lane=Lane.URGENT, service_class="amber", sections=TEXTS, author=author, **ends)  # type: ignore[arg-type]  # as named


def opening_of(party: Party, directory: Directory) -> Open:
    keys = party.keyring.recipient_keys(ALL_ROLES, NOW)
    return lambda arrival: open_arrival(arrival, keys=keys, directory=directory)


async def test_both_sides_export_what_they_sent_and_received(
    pair: tuple[Station, Station], council: Party, police: Party, directory: Directory, archive: Archive, pinned: bytes
) -> None:
    """Who asked, and the receipts of it, out of two real stores; the parts not asked for stay closed."""
    thread = new_thread()
    await pair[0].send(request(thread))
    await settle(*pair)
    for one, party in zip(pair, (council, police), strict=True):
        async with one.store.snapshot() as tx:
            found = [exhibit async for exhibit in exhibits(tx, thread, opening=opening_of(party, directory))]
        bundle = read_bundle(write_bundle(found, proofs_for(found, archive), now=LATER))
        findings = list(verify_bundle(bundle, pinned=pinned))
        assert [finding.sentence for finding in findings if not finding.holds] == []
        assert len(findings) >= 2
        proved = {section.index for exhibit in bundle.exhibits for section in exhibit.sections}
        assert proved == {0, 1}
        assert TEXTS[Section.TEAM] in {section.text for exhibit in bundle.exhibits for section in exhibit.sections}


async def test_a_thread_that_is_not_here_is_said_not_to_be(pair: tuple[Station, Station]) -> None:
    """Nothing is exported under a name that means nothing."""
    async with pair[0].store.snapshot() as tx:
        with pytest.raises(NothingHere):
            [one async for one in exhibits(tx, new_thread(), opening=lambda arrival: pytest.fail("opened"))]


async def test_a_sender_proves_the_others_receipts_when_every_prekey_is_erased(
    pair: tuple[Station, Station], archive: Archive, pinned: bytes
) -> None:
    """SPEC 11.3: receipts bound the time from above, so their content keys are kept when they are taken."""
    thread = new_thread()
    await pair[0].send(request(thread))
    await settle(*pair)
    async with pair[0].store.snapshot() as tx:
        nothing = [one async for one in exhibits(tx, thread, opening=lambda _: Refusal("E16", None, "erased"))]
    bundle = read_bundle(write_bundle(nothing, proofs_for(nothing, archive), now=LATER))
    findings = list(verify_bundle(bundle, pinned=pinned))
    said = {one.statement.receipt.kind.value for one in findings if one.statement and one.statement.receipt}
    assert said >= {"R1", "R2"}
