"""The hub's post: which days are due to whom, and which answers count."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from broker import hub_word, manifest_book
from broker.hub import Delivery, Handler, Outcome
from broker.ledger.ledger import Ledger
from broker.manifest_post import ManifestPost, NoHubKey, days_due, manifest_signer, readers, without_names
from broker.manifests import manifest
from schemas import base64url
from schemas.directory import Directory
from schemas.reconciliation import (
    ANSWER_TYPE,
    MANIFEST_TYPE,
    DailyManifest,
    Difference,
    DifferenceKind,
    Reconciled,
    read_exactly,
)
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.watch.reconciling import MORNING, hub_signer, with_hub_key
from tests.support.parties import NOW
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Story, directory, identifier, parties

DAY = date(2026, 11, 24)
MISSED = Difference(kind=DifferenceKind.LOST_BEFORE_HUB, sender=LA, recipient=POLICE, seq=9, mid=identifier("nine"))


@dataclass
class Wire:
    """A connection that keeps what was published, and answers as a test says."""

    outcome: Outcome = Outcome.CONFIRMED
    sent: dict[str, list[bytes]] = field(default_factory=dict)

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        self.sent.setdefault(recipient, []).append(body)
        return self.outcome

    async def consume(self, lane: Lane, handler: Handler) -> None:
        """Not used."""

    def alive(self, lane: Lane) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Office:
    """A post over an empty ledger."""

    post: ManifestPost
    wire: Wire
    ledger: Ledger
    now: datetime = MORNING
    directory: Directory = field(default_factory=directory)

    def payload(self, name: str) -> bytes:
        """Give what was last said to an agency."""
        word = hub_word.read(self.wire.sent[name][-1])
        assert word is not None
        return word.unverified_payload

    def answer(self, name: str, *found: Difference, **changes: Any) -> Reconciled:
        """Make an agency's answer to what it was last sent."""
        made = read_exactly(DailyManifest, self.payload(name))
        assert made is not None
        digest = base64url.encode(sha256(self.payload(name)).digest())
        return Reconciled.of(made, digest=digest, found=found, at=self.now).model_copy(update=changes)

    def sign(self, answer: Reconciled, *, by: str, payload_type: str = ANSWER_TYPE) -> bytes:
        """Sign an answer with an agency's key."""
        keys = parties()[by].sender(self.now)
        return hub_word.answer(answer.to_bytes(), payload_type=payload_type, kid=keys.kid, sign=keys.sign)

    async def hear(self, body: bytes, *, from_: str, lane: Lane = Lane.RECEIPT, has_cc: bool = False) -> bool:
        """Deliver an answer."""
        return await self.post.hear(Delivery(from_, lane, body, has_cc=has_cc, redelivered=False))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """The hub on the morning after."""
    signer, wire = hub_signer(tmp_path), Wire()
    async with Ledger.opened(f"sqlite:///{tmp_path}/ledger.sqlite", now=NOW) as ledger:
        made: list[Office] = []
        post = ManifestPost(ledger, lambda: made[0].directory, lambda: made[0].now, wire, signer)
        made.append(Office(post, wire, ledger, directory=with_hub_key(signer)))
        yield made[0]


def test_a_manifest_is_due_when_its_day_is_well_over() -> None:
    """Not at midnight: what passed before it may still be receipted."""
    begun = NOW - timedelta(days=30)
    assert days_due(datetime(2026, 11, 25, 0, 44, tzinfo=UTC), began_at=begun)[-1] == date(2026, 11, 23)
    assert days_due(datetime(2026, 11, 25, 0, 45, tzinfo=UTC), began_at=begun)[-1] == DAY
    assert days_due(datetime(2026, 7, 2, 0, 0, tzinfo=UTC), began_at=NOW - timedelta(days=365))[-1] == date(2026, 7, 1)


def test_a_week_is_caught_up_and_nothing_before_the_ledger_began() -> None:
    """Oldest first."""
    assert days_due(MORNING, began_at=NOW - timedelta(days=30)) == tuple(date(2026, 11, day) for day in range(18, 25))
    assert days_due(MORNING, began_at=NOW) == (DAY,)
    assert days_due(NOW, began_at=NOW) == ()


def test_manifests_go_to_who_takes_part() -> None:
    """Not to somebody suspended, nor to who has no pair."""
    plain = directory()
    shown = Directory.build(2, plain.records.values(), [(LA, POLICE), (POLICE, HEALTH)], suspended=[HEALTH])
    assert readers(shown) == (LA, POLICE)


async def test_a_manifest_that_the_hub_did_not_confirm_is_sent_again_with_the_same_bytes(office: Office) -> None:
    """Another content for the same day would be an attack in the agency's eyes (H08)."""
    office.wire.outcome = Outcome.UNKNOWN
    assert await office.post.post_due() == 0
    office.now += timedelta(minutes=5)
    office.wire.outcome = Outcome.CONFIRMED
    assert await office.post.post_due() == 3
    first, second = office.wire.sent[LA]
    assert first == second
    assert await office.post.post_due() == 0


async def test_two_watches_on_one_ledger_say_the_same(office: Office) -> None:
    """Whoever stores a manifest first has made it."""
    other = Wire()
    twin = ManifestPost(office.ledger, office.post.directory, office.post.clock, other, office.post.signer)
    office.wire.outcome = other.outcome = Outcome.UNKNOWN
    await office.post.post_due()
    office.now += timedelta(minutes=1)
    await twin.post_due()
    assert office.wire.sent == other.sent


async def test_the_hub_signs_nothing_that_nobody_could_verify(office: Office) -> None:
    """Its key is not in the signed directory, or not valid any more: it says so, and sends nothing."""
    office.directory = directory()
    with pytest.raises(NoHubKey):
        await office.post.post_due()
    office.directory = with_hub_key(office.post.signer)
    office.now += timedelta(days=400)
    with pytest.raises(NoHubKey):
        await office.post.post_due()
    assert office.wire.sent == {}


def test_a_key_file_that_is_none_or_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """As for the directory's keys."""
    hub_signer(tmp_path, "open")
    (tmp_path / "open").chmod(0o644)
    for name in ("open", "missing"):
        with pytest.raises(NoHubKey):
            manifest_signer(tmp_path / name)


async def test_an_agencys_answer_is_written_down_and_its_differences_stand(office: Office) -> None:
    """And end with a later answer that names none."""
    await office.post.post_due()
    assert await office.hear(office.sign(office.answer(LA, MISSED), by=LA), from_=LA)
    (stands,) = await manifest_book.standing(office.ledger)
    assert (stands.participant, stands.count, stands.first) == (LA, 1, MISSED)
    office.now += timedelta(days=1)
    await office.post.post_due()
    assert await office.hear(office.sign(office.answer(LA), by=LA), from_=LA)
    assert await manifest_book.standing(office.ledger) == ()


async def test_an_answer_in_another_agencys_name_is_refused(office: Office) -> None:
    """The attack: the police say for the council that nothing is missing; by its own exchange, or by another's."""
    await office.post.post_due()
    answer = office.answer(LA)
    heard = [
        await office.hear(office.sign(answer, by=POLICE), from_=LA),
        await office.hear(office.sign(answer, by=POLICE), from_=POLICE),
        await office.hear(office.sign(answer, by=LA), from_=POLICE),
    ]
    assert heard == [False, False, False]


async def test_an_answer_that_was_changed_or_is_of_another_type_is_refused(office: Office) -> None:
    """The attack: the hub's operator turns one difference into none."""
    await office.post.post_due()
    signed = json.loads(office.sign(office.answer(LA, MISSED), by=LA))
    none = b64encode(office.answer(LA).to_bytes()).decode()
    assert not await office.hear(json.dumps(signed | {"payload": none}).encode(), from_=LA)
    assert not await office.hear(office.sign(office.answer(LA), by=LA, payload_type=MANIFEST_TYPE), from_=LA)


async def test_an_answer_on_another_lane_or_with_a_stuffed_header_is_refused(office: Office) -> None:
    """It is left to the watch, which counts it as what it is: no envelope."""
    await office.post.post_due()
    body = office.sign(office.answer(LA), by=LA)
    assert not await office.hear(body, from_=LA, lane=Lane.URGENT)
    assert not await office.hear(body, from_=LA, has_cc=True)


async def test_an_answer_of_a_suspended_agency_is_refused(office: Office) -> None:
    """REC-06."""
    await office.post.post_due()
    body = office.sign(office.answer(LA), by=LA)
    plain = office.directory
    office.directory = Directory.build(2, plain.records.values(), plain.pairs.values(), suspended=[LA])
    assert not await office.hear(body, from_=LA)


async def test_an_answer_to_a_manifest_that_was_never_sent_changes_nothing(office: Office) -> None:
    """Nor does a second answer to the same one: the first stands."""
    await office.post.post_due()
    stray = office.answer(LA, MISSED, manifest=base64url.encode(bytes(32)))
    await office.hear(office.sign(stray, by=LA), from_=LA)
    assert await manifest_book.standing(office.ledger) == ()
    await office.hear(office.sign(office.answer(LA, MISSED), by=LA), from_=LA)
    await office.hear(office.sign(office.answer(LA), by=LA), from_=LA)
    assert [each.participant for each in await manifest_book.standing(office.ledger)] == [LA]


async def test_an_answer_that_counts_differences_and_names_none_is_refused(office: Office) -> None:
    """Whoever looks must have something to look for."""
    await office.post.post_due()
    assert not await office.hear(office.sign(office.answer(LA, count=3), by=LA), from_=LA)


def test_a_day_without_names_is_the_same_day() -> None:
    """What does not fit into a message is left out, and nothing else."""
    story = Story()
    for number in range(1, 5):
        story.say(LA, POLICE, Event.REQUEST, seq=number)
    made = manifest(story.passages, participant=LA, day=DAY, now=story.now, ledger=(4, bytes(32)))
    bare = without_names(made)
    assert (bare.halves[0].messages, bare.halves[0].passed, bare.ends) == ((), 4, made.ends)
    assert read_exactly(DailyManifest, bare.to_bytes()) == bare
