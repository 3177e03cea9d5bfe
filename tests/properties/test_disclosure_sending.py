"""The invariants of disclosure that speak of sending (§4): silence (1), the ledger first (6), and once (10).

Real packs, a real desk, real stores; only the envelopes are without cryptography. `MASH_EXAMPLES` says how many cases
each property gets; 10,000 is the long form.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.delivery.states import OUTBOX_AT_REST
from adapters.kit.desk.request_file import RequestFile
from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.reading import read_record
from adapters.kit.envelope.sealing import Section
from adapters.kit.refusal import Refused
from adapters.kit.store.tables import outbox_rows
from schemas.content.codes import Outcome
from schemas.content.response import Nil
from tests.properties.answer_world import (
    USER,
    decisions_kept,
    desk_at,
    entries_of,
    file_it,
    finished_file,
    proposal_on,
    ready_stores,
    run,
    take_the_place,
)
from tests.properties.disclosure_world import kinds, plain_records, records, requests
from tests.support.ready_stores import ReadyStores
from tests.support.stations import COUNCIL, POLICE, FakeClock, Road, Station, delivery_of, station
from tests.unit.desk.office import replied

EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "25"))
thorough = settings(max_examples=EXAMPLES, deadline=None, database=None)
AT_REST = frozenset(state.value for state in OUTBOX_AT_REST)
RFI = "RFI-1"


@pytest.fixture(scope="module")
def ready() -> Iterator[ReadyStores]:
    """The stores that every example begins with."""
    with ready_stores() as made:
        yield made


@some.composite
def answers(draw: some.DrawFn) -> tuple[str, RequestFile]:
    """Give a kind of agency, and a file of up to three records on which nothing is left to do but to send."""
    kind = draw(kinds)
    found = draw(some.lists(records(kind), min_size=1, max_size=3))
    return kind, finished_file(kind, draw(requests(kind)), found, rfi=RFI)


@thorough
@given(answer=answers(), where=some.integers(1, 3))
def test_nothing_is_sent_where_a_decision_cannot_be_written_down(
    ready: ReadyStores, answer: tuple[str, RequestFile], where: int
) -> None:
    """Invariant 6: no message and no entry where the ledger refuses one decision; afterwards one of each, in full."""
    kind, file = answer

    async def example() -> None:
        async with station(POLICE, ready.url(POLICE), road=Road(), clock=FakeClock()) as holder:
            desk = desk_at(holder, kind)
            await file_it(holder, file)
            give_back = await take_the_place(holder, ahead=min(where, len(file.candidates)))
            with pytest.raises((sqlite3.IntegrityError, Refused)) as stopped:
                await desk.send(RFI, user=USER)
            assert await holder.rows(outbox_rows) == []
            assert await desk.list() == (file,)
            await give_back()
            assert await entries_of(holder, "decision") == []
            if stopped.errisinstance(Refused):
                return
            await desk.send(RFI, user=USER)
            assert await entries_of(holder, "decision") == [one.item for one in file.candidates]
            assert len(await holder.rows(outbox_rows)) == 1
            for kept in await decisions_kept(holder):
                assert kept["pack_hash"] == load_pack(kind).hash
                assert bool(kept["facts"]) is bool(kept["facts_hash"])
                assert not kept["facts"] or kept["facts_hash"] == _hash(kept["facts"])
                assert kept["determined_by"]

    ready.begin_again()
    run(example())


SILENCING: tuple[dict[str, Any], ...] = (
    {"gsc": "SECRET"},
    {"gsc": "TOP SECRET"},
    *({"flags": [flag]} for flag in ("covert_source", "adoption", "gender_recognition", "fertility_treatment")),
)


@thorough
@given(data=some.data(), kind=kinds)
def test_silence_and_nothing_to_share_are_one_answer(data: some.DataObject, kind: str) -> None:
    """Invariant 1: the same bytes in the same sections, so the same padded length, and never "no trace"."""
    closed = {**data.draw(plain_records(kind)), **data.draw(some.sampled_from(SILENCING))}
    hidden = finished_file(kind, data.draw(requests(kind)), [read_record(closed)], rfi=RFI)
    (judged,) = proposal_on(kind, hidden).judged
    assume(judged.outcome is Outcome.WITHHOLD_SILENT)
    silent, nothing = replied(hidden, judged), replied(hidden.model_copy(update={"candidates": ()}))

    assert silent.response.canonical_bytes() == nothing.response.canonical_bytes()
    assert silent.sealed.canonical_bytes() == nothing.sealed.canonical_bytes()
    assert silent.response.nil is Nil.NOTHING_TO_SHARE


@thorough
@given(data=some.data(), kind=kinds)
def test_an_answer_arrives_once_whatever_the_road_repeats_reorders_and_loses(
    ready: ReadyStores, data: some.DataObject, kind: str
) -> None:
    """Invariant 10: every answer that was sent is opened once, as it was sent; to send again sends nothing."""
    about = data.draw(requests(kind))
    number = data.draw(some.integers(1, 3))
    files = [finished_file(kind, about, [data.draw(records(kind))], rfi=f"RFI-{one}") for one in range(number)]
    chance = data.draw(some.randoms(use_true_random=False))
    road, clock = Road(), FakeClock()

    async def example() -> None:
        holding = station(POLICE, ready.url(POLICE), road=road, clock=clock)
        asking = station(COUNCIL, ready.url(COUNCIL), road=road, clock=clock)
        async with holding as holder, asking as council:
            sent = [one for one in [await _sent(holder, kind, file) for file in files] if one]
            await holder.pump.run_once()
            await _disorder(council, road=road, chance=chance)
            await _come_to_rest((holder, council), road=road, clock=clock)
            assert Counter(_heard(one) for one in council.applied) == Counter(sent)
            assert [await _sent_again(holder, kind, file) for file in files] == [None] * number

    ready.begin_again()
    run(example())


def _hash(facts: str) -> str:
    return "sha256:" + sha256(facts.encode()).hexdigest()


async def _sent(holder: Station, kind: str, file: RequestFile) -> bytes | None:
    """Send an answer; None where it is refused, as one to an incomplete request is."""
    await file_it(holder, file)
    return await _sent_again(holder, kind, file)


async def _sent_again(holder: Station, kind: str, file: RequestFile) -> bytes | None:
    try:
        return (await desk_at(holder, kind).send(file.rfi.rfi or "", user=USER)).canonical_bytes()
    except Refused:
        return None


async def _disorder(council: Station, *, road: Road, chance: Any) -> None:
    """Deliver what lies on the road in any order: some of it lost, some of it up to three times."""
    parcels = [parcel for parcel in road.take(COUNCIL) for _ in range(chance.choice((0, 1, 2, 3)))]
    chance.shuffle(parcels)
    for parcel in parcels:
        await council.receiver.handle(delivery_of(parcel, redelivered=chance.choice((True, False))))
        if chance.choice((True, False)):
            await council.work()


async def _come_to_rest(stations: Sequence[Station], *, road: Road, clock: FakeClock) -> None:
    """Let time pass on a road that loses nothing more, until nobody owes anybody a message or a receipt."""
    for _ in range(16):
        clock.pass_(hours=6)
        for one in stations:
            await one.fetch()
            await one.work()
            await one.pump.run_once()
        owed = [row for one in stations for row in await one.rows(outbox_rows) if row["state"] not in AT_REST]
        if not (owed or road.parcels):
            return
    raise AssertionError("messages are under way without end")


def _heard(received: Received) -> bytes:
    return received.opened.sections[Section.TEAM]
