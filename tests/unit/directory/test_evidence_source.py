"""What leaves two real stores as evidence: the thread asked for, the sections named, by keys kept or still alive.

Two threads between a council and the police are run once; each test exports from the stores that they left behind.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from adapters.kit.delivery.reopening import keep_openings
from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.envelope.sealing import Author, Outgoing, Section, new_thread
from adapters.kit.envelope.verification import Arrival, Opened, Refusal, open_arrival
from adapters.kit.evidence.bundle import Exhibit, read_exhibit
from adapters.kit.evidence.source import OPENED, SEALED, NothingHere, Open, exhibits, texts_of, thread_of
from adapters.kit.keys.in_use import RecipientKeys
from adapters.kit.keys.secrets import SecretBytes
from adapters.kit.store.store import Store
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows
from adapters.kit.store.transaction import Transaction
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope
from schemas.routing import Lane
from schemas.stub import Event
from tests.support.envelopes import TEXTS, sealed_by
from tests.support.parties import NOW, Party, make_directory, make_party
from tests.support.stations import KEY, FakeClock, Road, settle, station

ALL = frozenset({0, 1, 2, 3})
GONE = Refusal("E16", None, "prekey unknown or erased")


@dataclass(frozen=True)
class Left:
    """What two threads left behind: the parties, their stores' folder, and the threads."""

    council: Party
    police: Party
    directory: Directory
    folder: Path
    threads: tuple[str, str]

    @asynccontextmanager
    async def at(self, party: Party) -> AsyncIterator[Transaction]:
        url = f"sqlite:///{self.folder}/{party.name}.db"
        async with (
            Store.open(url, participant=party.name, store_key=KEY, clock=FakeClock(NOW)) as store,
            store.transaction() as tx,
        ):
            yield tx

    def opening(self, party: Party) -> Open:
        return lambda arrival: open_arrival(arrival, keys=party.recipient(), directory=self.directory)


def asked(thread: str, recipient: str) -> Outgoing:
    return Outgoing(
        recipient=recipient,
        thread=thread,
        event=Event.REQUEST,
        lane=Lane.URGENT,
        service_class="amber",
        in_reply_to=None,
        sections=TEXTS,
        author=Author("coordinator-1", "coordinator"),
        purpose="mash_enquiry",
    )


def envelopes_of(party: Party, directory: Directory) -> KeyedEnvelopes:
    def recipient(now: datetime) -> RecipientKeys:
        return party.recipient(now=now)

    return KeyedEnvelopes(party.name, party.sender, recipient, lambda: directory)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("stores")
    council, police = make_party("testford-la"), make_party("testford-police", kind="police")
    directory = make_directory(council, police)
    threads = (new_thread(), new_thread())

    async def run() -> None:
        road, clock = Road(), FakeClock(NOW)
        urls = {party: f"sqlite:///{folder}/{party.name}.db" for party in (council, police)}
        seals = {party: envelopes_of(party, directory) for party in (council, police)}
        async with (
            station(council.name, urls[council], road=road, clock=clock, envelopes=seals[council]) as asking,
            station(police.name, urls[police], road=road, clock=clock, envelopes=seals[police]) as answering,
        ):
            for thread in threads:
                await asking.send(asked(thread, police.name))
            await settle(asking, answering)

    asyncio.run(run())
    return Left(council, police, directory, folder, threads)


def refused(_arrival: Arrival) -> Opened | Refusal:
    return GONE


def threads_in(found: list[Exhibit]) -> set[str]:
    return {one.stub.thread for one in map(read_exhibit, found) if one is not None}


def proved(found: list[Exhibit], event: Event) -> set[int]:
    read = [one for one in map(read_exhibit, found) if one is not None and one.stub.event is event]
    return {section.index for one in read for section in one.exhibit.sections}


async def test_an_export_holds_one_thread_whole_and_nothing_of_another(left: Left) -> None:
    """By the thread's id or by that of any message in it, at either end: what was sent, and then what was received."""
    for party in (left.council, left.police):
        async with left.at(party) as tx:
            table = outbox_rows if party is left.council else inbox_rows
            (row,) = (row for row in await tx.select(table, table.select()) if row["thread"] == left.threads[1]
                      and (party is left.council or row["lane"] == "urgent"))  # fmt: skip
            both = [
                [one async for one in exhibits(tx, name, opening=left.opening(party))]
                for name in (left.threads[1], row["mid"])
            ]
        assert both[0] == both[1]
        assert threads_in(both[0]) == {left.threads[1]}
        events = [one.stub.event for one in map(read_exhibit, both[0]) if one is not None]
        assert sorted(events) == [Event.RECEIPT, Event.RECEIPT, Event.REQUEST]
        assert (events[0] is Event.REQUEST) is (party is left.council)


async def test_an_export_of_what_is_not_here_says_so_by_its_name(left: Left) -> None:
    """Neither an empty bundle nor somebody else's thread."""
    stranger = new_thread()
    async with left.at(left.council) as tx:
        with pytest.raises(NothingHere, match=stranger):
            [one async for one in exhibits(tx, stranger, opening=refused)]
        assert await thread_of(tx, left.threads[0]) == left.threads[0]


@pytest.mark.parametrize("named", [frozenset({0}), frozenset({0, 1}), frozenset({0, 2}), ALL])
async def test_an_export_opens_the_sections_that_were_named_and_no_others(named: frozenset[int], left: Left) -> None:
    """Least disclosure: at the sender by the keys that it kept, at the recipient by those that still live."""
    for party in (left.council, left.police):
        async with left.at(party) as tx:
            found = [one async for one in exhibits(tx, left.threads[0], opening=left.opening(party), sections=named)]
        assert proved(found, Event.REQUEST) == named
        # Its own receipts prove nothing to others, so their keys are kept by whom they are for.
        assert proved(found, Event.RECEIPT) == (named & {0, 1} if party is left.council else set())


async def test_an_export_leaves_the_sealed_parts_closed_unless_they_are_named(left: Left) -> None:
    """The decision maker's and the protected parts are not in a bundle by default."""
    async with left.at(left.council) as tx:
        found = [one async for one in exhibits(tx, left.threads[0], opening=left.opening(left.council))]
    assert proved(found, Event.REQUEST) == {0, 1}


async def test_a_recipient_whose_prekeys_are_erased_proves_what_it_kept(left: Left) -> None:
    """What was opened on arrival stays provable; a part that nobody opened in time is left out, and its stub stays."""
    async with left.at(left.police) as tx:
        bare = [one async for one in exhibits(tx, left.threads[1], opening=refused, sections=ALL)]
        assert proved(bare, Event.REQUEST) == set()
        (row,) = (
            row for row in await tx.select(inbox_rows, inbox_rows.select())
            if row["thread"] == left.threads[1] and row["lane"] == "urgent"
        )  # fmt: skip
        opened = await _opened_by(left, tx, row["mid"], "gateway", "team")
        await keep_openings(tx, left.council.name, row["mid"], left.threads[1], opened)
        kept = [one async for one in exhibits(tx, left.threads[1], opening=refused, sections=ALL)]
        assert proved(kept, Event.REQUEST) == {0, 1}
        more = [one async for one in exhibits(tx, left.threads[1], opening=left.opening(left.police), sections=ALL)]
        assert proved(more, Event.REQUEST) == ALL
        fine = [one async for one in exhibits(tx, left.threads[1], opening=_unasked_for_requests)]
        assert proved(fine, Event.REQUEST) == {0, 1}


async def test_a_sender_whose_prekeys_are_erased_proves_the_others_receipts(left: Left) -> None:
    """SPEC 11.3: their content keys were kept when they were taken, under the receipt's own name."""
    async with left.at(left.council) as tx:
        found = [one async for one in exhibits(tx, left.threads[0], opening=refused)]
    assert proved(found, Event.RECEIPT) == {0, 1}


async def test_an_envelope_whose_content_was_erased_still_proves_that_it_was_sent(left: Left, tmp_path: Path) -> None:
    """REC-07: the schedule leaves the stub; the bundle holds it, without sections, whoever exports."""
    for file in left.folder.glob("*.db*"):
        shutil.copy(file, tmp_path / file.name)
    copied = replace(left, folder=tmp_path)
    for party in (left.council, left.police):
        async with copied.at(party) as tx:
            for row in await tx.select(envelope, envelope.select()):
                frame = read_envelope(row["body"])
                assert isinstance(frame, Frame)
                await tx.change(envelope, row, body=frame.stub, whole=False)
            found = [one async for one in exhibits(tx, left.threads[0], opening=left.opening(party), sections=ALL)]
        assert len(found) == 3
        assert threads_in(found) == {left.threads[0]}
        assert all(one.sections == () for one in found)


def test_what_the_ledger_calls_a_sealing_and_an_opening_is_for_ever() -> None:
    """Evidence is looked for under these names ten years after they were written down."""
    assert (SEALED, OPENED) == ("envelope.sealed", "envelope.opened")


def _unasked_for_requests(arrival: Arrival) -> Opened | Refusal:
    assert arrival.stub.event is not Event.REQUEST, "opened although what was named was kept"
    return GONE


async def _opened_by(left: Left, tx: Transaction, mid: str, *roles: str) -> Opened:
    seen: list[Opened] = []

    def opening(arrival: Arrival) -> Opened | Refusal:
        outcome = open_arrival(arrival, keys=left.police.recipient(*roles), directory=left.directory)
        if arrival.stub.mid == mid and isinstance(outcome, Opened):
            seen.append(outcome)
        return outcome

    assert [one async for one in exhibits(tx, mid, opening=opening, sections=ALL)]
    return seen[0]


Change = Callable[[bytes], bytes]
CHANGES: list[tuple[Change, set[int]]] = [
    (lambda kept: kept, {0, 1, 2, 3}),
    (lambda kept: kept[33:], {1, 2, 3}),
    (lambda kept: kept[:33], {0}),
    (lambda kept: kept[:1] + bytes(32) + kept[33:], {1, 2, 3}),
    (lambda kept: bytes([4]) + kept[1:], {1, 2, 3}),
    (lambda kept: b"", set()),
]


@pytest.mark.parametrize(("change", "opens"), CHANGES)
def test_a_text_is_opened_by_its_own_content_key_and_no_other(change: Change, opens: set[int], left: Left) -> None:
    """A key that is missing, another's, or of a section that there is not leaves that one out and the others alone."""
    sealed = sealed_by(left.council, left.police, directory=left.directory)
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    texts = texts_of(frame, SecretBytes(change(sealed.openings.reveal())))
    assert texts.keys() == opens
    expected = {index: TEXTS[section] for index, section in enumerate(Section, start=1)}
    assert all(texts[index] == expected[index] for index in opens - {0})
