"""Everything bad that can come through the tap: counted, alarmed, set aside within bounds, and never in the way."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from adapters.kit.envelope.sealing import Chain, Event
from broker.alerts import AlertKind
from broker.hub import MAX_BODY_BYTES, Delivery
from broker.ledger.engine import LedgerUnavailable
from broker.verify import Refusal
from broker.watch import quarantine
from schemas.envelope import Frame, read_envelope
from schemas.routing import Lane
from tests.integration.watch.watching import EAGER, Watching, World, watching
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Post, directory

Spoil = Callable[[Post], Delivery]


@pytest.fixture
async def open_watch(ledger_url: str) -> AsyncIterator[Watching]:
    async with watching(ledger_url, World()) as opened:
        yield opened


def good(post: Post) -> Delivery:
    return post.write(LA, POLICE, Event.REQUEST)


def oversized(_post: Post) -> Delivery:
    return Delivery(LA, Lane.URGENT, bytes(MAX_BODY_BYTES + 1), has_cc=False, redelivered=False)


def malformed(post: Post) -> Delivery:
    whole = good(post)
    return replace(whole, body=whole.body[:-1])


def unsigned(post: Post) -> Delivery:
    whole = good(post)
    frame = read_envelope(whole.body)
    assert isinstance(frame, Frame)
    at = len(frame.signed)
    return replace(whole, body=whole.body[:at] + bytes(64) + whole.body[at + 64 :])


def misrouted_lane(post: Post) -> Delivery:
    return replace(good(post), lane=Lane.ROUTINE)


def from_another_exchange(post: Post) -> Delivery:
    return replace(good(post), ingress_owner=HEALTH)


def header_stuffed(post: Post) -> Delivery:
    return replace(good(post), has_cc=True)


def a_name_in_the_core(post: Post) -> Delivery:
    whole = good(post)
    return replace(whole, body=whole.body.replace(b'"cls":"amber"', b'"cls":"Tilly"'))


def a_name_as_a_field(post: Post) -> Delivery:
    whole = good(post)
    return replace(whole, body=whole.body.replace(b'"irt":null', b'"Til":"ly"'))


def expired(post: Post) -> Delivery:
    return post.write(LA, POLICE, Event.REQUEST, now=World().now - timedelta(hours=2), expires_after=timedelta(hours=1))


def from_the_future(post: Post) -> Delivery:
    return post.write(LA, POLICE, Event.REQUEST, now=World().now + timedelta(hours=1))


BAD: dict[str, tuple[Spoil, str]] = {
    "oversized": (oversized, "E00"),
    "header-stuffed": (header_stuffed, "E00"),
    "malformed": (malformed, "E01"),
    "a name as a field of the core": (a_name_as_a_field, "E03"),
    "misrouted into another lane": (misrouted_lane, "E04"),
    "misrouted through another's exchange": (from_another_exchange, "E05"),
    "a name as its class": (a_name_in_the_core, "E09"),
    "unsigned": (unsigned, "E09"),
    "expired": (expired, "E10"),
    "from the future": (from_the_future, "E10"),
}


@pytest.mark.parametrize("attack", BAD)
async def test_a_bad_envelope_is_counted_alarmed_and_set_aside_while_its_neighbour_passes(
    open_watch: Watching, attack: str
) -> None:
    """Never crashing the watch, never blocking a neighbour, never a word of it in the store."""
    spoil, code = BAD[attack]
    post = Post(open_watch.world.directory)
    bad, neighbour = spoil(post), post.write(POLICE, LA, Event.HEARTBEAT)
    for delivery in (bad, neighbour, bad):
        await open_watch.watch.intake.handle(delivery)
    await open_watch.watch.round()
    assert [passage.stub.event for passage in await open_watch.ledger.passages()] == [Event.HEARTBEAT]
    (tally,) = await quarantine.tallies(open_watch.ledger)
    assert (tally.ingress_owner, tally.code, tally.total) == (bad.ingress_owner, code, 2)
    assert AlertKind.REFUSED in open_watch.world.raised()
    assert open_watch.value("mash_stubs_refused_total", participant=bad.ingress_owner, code=code) == 2
    assert open_watch.value("mash_stubs_total", participant=POLICE, lane="routine", kind="HB") == 1
    assert open_watch.value("mash_watch_faults_total") == 0


@pytest.mark.parametrize("attack", BAD)
async def test_a_refused_envelope_leaves_its_size_and_hash_and_no_ciphertext(open_watch: Watching, attack: str) -> None:
    """Before the core kept to its alphabet nothing of the bytes is kept at all: they may say anything."""
    spoil, code = BAD[attack]
    bad = spoil(Post(open_watch.world.directory))
    await open_watch.watch.intake.handle(bad)
    (held,) = await quarantine.held(open_watch.ledger)
    assert (held.code, held.size, len(held.body_hash)) == (code, len(bad.body), 32)
    if code in ("E00", "E01", "E02", "E03"):
        assert held.stub is None
    else:
        assert held.stub is not None
        assert bad.body.startswith(held.stub)
        assert len(held.stub) < len(bad.body) / 1.3


async def test_a_replay_through_anothers_exchange_enters_nothing_twice(open_watch: Watching) -> None:
    """M2: the same bytes by the same way are the same entry, by another way refused."""
    whole = good(Post(open_watch.world.directory))
    for delivery in (whole, replace(whole, redelivered=True), replace(whole, ingress_owner=HEALTH)):
        await open_watch.watch.intake.handle(delivery)
    assert (await open_watch.ledger.head()).entries == 1
    assert open_watch.value("mash_stub_duplicates_total", lane="urgent") == 1
    assert open_watch.value("mash_stubs_refused_total", participant=HEALTH, code="E05") == 1


async def test_a_suspended_agency_is_heard_no_more(ledger_url: str) -> None:
    """E07, although its signature is good."""
    world = World(directory=directory(suspended=[LA]))
    post = Post()
    post.directory = directory()
    whole = good(post)
    world.directory = replace(world.directory, hash=post.directory.hash)  # the same version, with LA put out
    async with watching(ledger_url, world) as opened:
        await opened.watch.intake.handle(whole)
        await opened.watch.round()
        assert [tally.code for tally in await quarantine.tallies(opened.ledger)] == ["E07"]
        assert (await opened.ledger.head()).entries == 0
        assert AlertKind.REFUSED in world.raised()


async def test_a_message_misrouted_to_somebody_without_an_agreement_is_refused(ledger_url: str) -> None:
    """E07: a binding too many let it pass the broker; the watch holds it against the agreements again."""
    post, world = Post(), World(directory=directory(pairs=[(LA, POLICE), (POLICE, LA)]))
    stray = post.write(POLICE, HEALTH, Event.REQUEST)
    world.directory = replace(world.directory, hash=post.directory.hash)
    async with watching(ledger_url, world) as opened:
        await opened.watch.intake.handle(stray)
        await opened.watch.round()
        assert [tally.code for tally in await quarantine.tallies(opened.ledger)] == ["E07"]
        assert AlertKind.REFUSED in world.raised()


async def test_an_agency_that_was_shown_another_directory_raises_equivocation(open_watch: Watching) -> None:
    """M5: the same version with another hash."""
    shown = directory(pairs=[(LA, POLICE), (POLICE, LA)])
    assert shown.version == open_watch.world.directory.version
    await open_watch.watch.intake.handle(good(Post(shown)))
    await open_watch.watch.round()
    assert AlertKind.EQUIVOCATION in open_watch.world.raised()


async def test_a_stub_under_a_newer_directory_makes_the_watch_fetch_it(open_watch: Watching) -> None:
    """E06 says: refresh, then hold. What was replaced meanwhile is still known."""
    world, old = open_watch.world, Post(open_watch.world.directory)
    world.directory = directory(version=2)
    await open_watch.watch.intake.handle(good(Post(world.directory)))
    late = old.write(LA, POLICE, Event.NOTICE, chain=Chain(2, b"\x01" * 32), now=world.now - timedelta(minutes=1))
    await open_watch.watch.intake.handle(late)
    versions = [passage.stub.directory.version for passage in await open_watch.ledger.passages()]
    assert versions == [2, 1]


async def test_an_impostor_cannot_make_the_watch_fetch_without_end(ledger_url: str) -> None:
    """Attack: a thousand stubs that name a directory of the far future."""
    world = World()
    async with watching(ledger_url, world, settings=replace(EAGER, refresh_at_most_every=3600.0)) as opened:
        before, future = world.reads, Post(directory(version=99))
        for _ in range(5):
            await opened.watch.intake.handle(good(future))
        assert world.reads == before + 1
        (tally,) = await quarantine.tallies(opened.ledger)
        assert (tally.code, tally.total) == ("E06", 5)


async def test_the_quarantine_is_bounded_and_its_counts_are_not(open_watch: Watching) -> None:
    """M16: the oldest rows make room; how often it happened is never forgotten."""
    bad = malformed(Post(open_watch.world.directory))
    refusal = Refusal("E01", None, "section ends early")
    put = partial(quarantine.put, open_watch.ledger, bad, refusal, at=open_watch.world.now, max_rows=5)
    for _ in range(12):
        await put()
    assert await quarantine.size(open_watch.ledger) == 5
    assert [tally.total for tally in await quarantine.tallies(open_watch.ledger)] == [12]


async def test_a_fault_of_ours_sets_the_delivery_aside_and_the_next_one_passes(
    open_watch: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E99: a poison message neither stops the watch nor comes back for ever, and is told."""
    post = Post(open_watch.world.directory)
    poison, healthy = good(post), post.write(POLICE, LA, Event.HEARTBEAT)
    append = open_watch.ledger.append

    async def chokes(verified, **arguments):  # type: ignore[no-untyped-def]  # stands in for one call
        if verified.stub.event is Event.REQUEST:
            raise LookupError("Tilly Ashgrove-Test")
        return await append(verified, **arguments)

    monkeypatch.setattr(open_watch.ledger, "append", chokes)
    for delivery in (poison, healthy):
        await open_watch.watch.intake.handle(delivery)
    await open_watch.watch.round()
    (held,) = await quarantine.held(open_watch.ledger)
    assert (held.code, held.detail, held.stub) == ("E99", "LookupError", None)
    assert (await open_watch.ledger.head()).entries == 1
    assert open_watch.value("mash_watch_faults_total") == 1


async def test_a_stub_waits_while_the_ledger_is_away(open_watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world's fault: not acknowledged, not refused, not lost."""
    append, away = open_watch.ledger.append, [LedgerUnavailable()] * 3

    async def comes_back(verified, **arguments):  # type: ignore[no-untyped-def]  # stands in for one call
        if away:
            raise away.pop()
        return await append(verified, **arguments)

    monkeypatch.setattr(open_watch.ledger, "append", comes_back)
    await open_watch.watch.intake.handle(good(Post(open_watch.world.directory)))
    assert (await open_watch.ledger.head()).entries == 1
    assert open_watch.value("mash_ledger_waits_total") == 3


async def test_no_word_of_a_sealed_message_is_in_the_hubs_store(open_watch: Watching) -> None:
    """Design, "Never" 1: good or refused, the ledger's bytes hold no plaintext and no ciphertext."""
    post = Post(open_watch.world.directory)
    whole, refused = good(post), unsigned(post)
    for delivery in (whole, refused):
        await open_watch.watch.intake.handle(delivery)
    await open_watch.watch.round()
    everything = b""
    async with open_watch.ledger.reading() as connection:
        for table in ("stub_ledger", "quarantine", "refusal", "alert", "ledger_directory"):
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()  # noqa: S608 - names of our own
            everything += b"".join(
                value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
            )
    assert b"Ashgrove" not in everything
    assert whole.body[-200:] not in everything
    assert refused.body[-200:] not in everything
