"""While the hub is down, sealed messages travel by secure mail or by hand, and are reconciled afterwards (SEC-04)."""

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.cli.carry_work import carried_in, carried_out, reconciled
from adapters.kit.delivery import carried
from adapters.kit.delivery.carried import CARRIED, Carried, Way
from adapters.kit.refusal import Refused
from adapters.kit.store import invariants, recovery
from adapters.kit.store.errors import InRecovery
from adapters.kit.store.tables import inbox_rows, outbox_rows
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from tests.integration.commands.office import (
    ENQUIRY,
    HOUSING,
    JUDGEMENT,
    POLICE,
    PRACTITIONER,
    approve_all,
    collation_of,
    issued,
    ledger_of,
    opened,
    rfi_of,
    written_down,
)
from tests.integration.commands.test_round import documented_fields
from tests.support.program import mash


async def asked(area: Area, *agencies: str) -> None:
    """Issue the enquiry while no hub carries anything."""
    await opened(area, *agencies)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER)


async def out(area: Area, sender: str, recipient: str, *, user: str = MANAGER) -> tuple[Carried, ...]:
    """Take out what waits."""
    async with area.adapters[sender].store.transaction() as tx:
        return await carried.take_out(tx, recipient, way=Way.CJSM, user=user)


async def brought(area: Area, recipient: str, body: bytes, *, sender: str = COUNCIL) -> bool:
    """Take one message in."""
    async with area.adapters[recipient].store.transaction() as tx:
        return await carried.take_in(tx, body, sender=sender, way=Way.CJSM, user="anybody")


async def answer_unsent(area: Area, participant: str) -> None:
    """Answer the one request, and leave the answer in the outbox."""
    desk, user, rfi = area.adapters[participant].desk, PRACTITIONER[participant], await rfi_of(area, participant)
    await desk.propose(rfi, user=user)
    await approve_all(area, participant, rfi)
    await desk.judge(rfi, JUDGEMENT, user=user)
    await written_down(area, participant, rfi)
    await desk.send(rfi, user=user)


async def tasks(area: Area, participant: str) -> list[str]:
    """Give whom the standing tasks of an adapter are about."""
    async with area.adapters[participant].store.snapshot() as view:
        return [alarm.refs["to"] for alarm in await view.alarms() if alarm.code == CARRIED]


async def sent_by_hub(area: Area, sender: str, recipient: str) -> list[tuple[str, bool]]:
    """Give every message's state, and whether the hub was ever given it."""
    chosen = select(outbox_rows).where(outbox_rows.c.recipient == recipient, outbox_rows.c.sort == "message")
    async with area.adapters[sender].store.snapshot() as view:
        return [(row["state"], row["attempt"] > 0) for row in await view.select(outbox_rows, chosen)]


async def test_a_question_and_its_answer_travel_by_hand_and_the_hub_learns_of_both_afterwards(
    area: Area, tmp_path: Path
) -> None:
    """SEC-04: nobody waits for a hub; and when it is back nothing happens twice and its ledger misses nothing."""
    await asked(area, POLICE)
    there = await carried_out(area.adapters[COUNCIL], POLICE, tmp_path / "there", way=Way.EGRESS, user=MANAGER)
    files = [Path(name) for name in there["files"]]
    came = await carried_in(area.adapters[POLICE], files, sender=COUNCIL, way=Way.EGRESS, user="ppd-sergeant")
    assert came == {"taken_in": 1, "here_already": 0}
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600]

    await answer_unsent(area, POLICE)
    back = await carried_out(area.adapters[POLICE], COUNCIL, tmp_path / "back", way=Way.IN_PERSON, user="ppd-sergeant")
    files = [Path(name) for name in back["files"]]
    await carried_in(area.adapters[COUNCIL], files, sender=POLICE, way=Way.IN_PERSON, user=MANAGER)
    before = await collation_of(area)
    (row,) = before.rows
    assert (row.status.value, row.items > 0) == ("answered", True)
    assert (await tasks(area, COUNCIL), await tasks(area, POLICE)) == ([POLICE], [COUNCIL] * len(files))

    assert (await reconciled(area.adapters[COUNCIL], user=MANAGER))["again"] == ()
    await area.settle()  # the hub is back
    for participant, user in ((COUNCIL, MANAGER), (POLICE, "ppd-sergeant")):
        assert (await reconciled(area.adapters[participant], user=user))["waiting"] == ()
    await area.settle()
    assert (await tasks(area, COUNCIL), await tasks(area, POLICE)) == ([], [])
    assert {state for state, _ in await sent_by_hub(area, COUNCIL, POLICE)} == {"OPENED"}
    for pair in ((COUNCIL, POLICE), (POLICE, COUNCIL)):
        assert {given for _, given in await sent_by_hub(area, *pair)} == {True}
    after = await collation_of(area)
    assert after.items == before.items
    assert [(one.answered_at, one.items, one.supplements) for one in after.rows] == [(row.answered_at, row.items, 0)]
    for participant in (COUNCIL, POLICE):
        async with area.adapters[participant].store.snapshot() as view:
            assert await invariants.violations(view) == []


async def test_what_was_receipted_before_the_hub_had_it_goes_by_the_hub_once_more(area: Area) -> None:
    """The receipt overtakes the message when the hub is back: its ledger would never have heard of the question."""
    await asked(area, POLICE)
    (one,) = await out(area, COUNCIL, POLICE)
    await brought(area, POLICE, one.body)
    await area._links[list(area.adapters).index(POLICE)].step()
    async with asyncio.timeout(60):
        while await sent_by_hub(area, COUNCIL, POLICE) != [("RECEIVED", False)]:  # noqa: ASYNC110 - a hub tells nobody
            await asyncio.sleep(0.01)
    assert (await reconciled(area.adapters[COUNCIL], user=MANAGER))["waiting"] == (one.mid,)
    await area.settle()
    assert await sent_by_hub(area, COUNCIL, POLICE) == [("OPENED", False)]
    assert (await reconciled(area.adapters[COUNCIL], user=MANAGER))["again"] == (one.mid,)
    await area.settle()
    assert await sent_by_hub(area, COUNCIL, POLICE) == [("OPENED", True)]
    assert len(await area.adapters[POLICE].desk.list()) == 1


async def test_what_is_carried_is_sealed_and_both_sides_write_down_who_carried_it(area: Area) -> None:
    """SEC-01, SEC-04: nobody on the way can read it, and the ledgers say who, what and by which way, and no content."""
    await asked(area, POLICE)
    (one,) = await out(area, COUNCIL, POLICE)
    assert b"Ashgrove" not in one.body
    assert "Ashgrove" not in repr(one)
    assert await brought(area, POLICE, one.body)
    (left,), (came,) = (
        await ledger_of(area.adapters[COUNCIL], "carried.out"),
        await ledger_of(area.adapters[POLICE], "carried.in"),
    )
    assert left == {"to": POLICE, "mid": one.mid, "way": "cjsm", "user": MANAGER}
    assert came == {"from": COUNCIL, "mid": one.mid, "way": "cjsm", "user": "anybody", "new": "True"}


async def test_a_file_that_is_brought_twice_or_after_the_hub_is_here_already(area: Area) -> None:
    """E11: carried, forwarded and found again next week."""
    await asked(area, POLICE, HOUSING)
    (one,) = await out(area, COUNCIL, POLICE)
    assert [await brought(area, POLICE, one.body) for _ in range(2)] == [True, False]
    (other,) = await out(area, COUNCIL, HOUSING)
    await area.settle()
    assert not await brought(area, HOUSING, other.body)
    await area.settle()
    assert [len(await area.adapters[one].desk.list()) for one in (POLICE, HOUSING)] == [1, 1]


@pytest.mark.parametrize(
    ("harm", "sender", "recipient", "code"),
    [
        (lambda body: body[:-20] + bytes([body[-20] ^ 1]) + body[-19:], COUNCIL, POLICE, "E"),
        (lambda body: body, HOUSING, POLICE, "E05"),
        (lambda body: body, COUNCIL, HOUSING, "E04"),
        (lambda body: b"Dear police, please find attached", COUNCIL, POLICE, "this is no sealed message"),
    ],
    ids=["changed on the way", "from somebody else", "for somebody else", "plain text"],
)
async def test_a_file_that_the_inbox_would_not_believe_is_refused_and_nothing_of_it_is_kept(
    area: Area, harm: "object", sender: str, recipient: str, code: str
) -> None:
    """Whoever carries files can bring others: the checks are the same as for what the hub brings."""
    await asked(area, POLICE)
    (one,) = await out(area, COUNCIL, POLICE)
    assert callable(harm)
    with pytest.raises(Refused, match=code):
        await brought(area, recipient, harm(one.body), sender=sender)
    async with area.adapters[recipient].store.snapshot() as view:
        assert await view.select(inbox_rows, select(inbox_rows)) == []
    assert await ledger_of(area.adapters[recipient], "carried.in") == []


async def test_a_file_larger_than_any_message_is_refused_before_it_is_read(area: Area, tmp_path: Path) -> None:
    """The danger: a stick with one file of eight gigabytes, all holes."""
    (tmp_path / "flood").touch()
    os.truncate(tmp_path / "flood", 8 * 2**30)
    with pytest.raises(Refused, match="larger than any message"):
        await carried_in(area.adapters[POLICE], [tmp_path / "flood"], sender=COUNCIL, way=Way.CJSM, user="ppd-sergeant")


async def test_a_file_that_comes_too_late_is_refused_and_one_that_would_is_not_taken_out(area: Area) -> None:
    """E10: a message has a life, by hand too."""
    await asked(area, POLICE)
    (one,) = await out(area, COUNCIL, POLICE)
    area.time += timedelta(days=15)
    with pytest.raises(Refused, match="E10"):
        await brought(area, POLICE, one.body)
    assert await out(area, COUNCIL, POLICE) == ()


async def test_what_the_partner_has_receipted_is_not_taken_out_and_a_task_is_opened_once(area: Area) -> None:
    """Nothing is carried for nothing, and taking out twice, for a second messenger, is one task."""
    await issued(area, HOUSING)
    assert await out(area, COUNCIL, HOUSING) == ()
    await area.console.coordinator.rerate(ENQUIRY, "RED", "worse", user=MANAGER)
    assert len(await out(area, COUNCIL, HOUSING)) == 1
    assert len(await out(area, COUNCIL, HOUSING)) == 1
    assert await tasks(area, COUNCIL) == [HOUSING]


async def test_a_store_that_was_restored_carries_nothing_by_hand_either(area: Area) -> None:
    """C44: its numbers may have been used."""
    await asked(area, POLICE)
    async with area.adapters[COUNCIL].store.transaction() as tx:
        await recovery.enter(tx, cause="test")
    with pytest.raises(InRecovery):
        await out(area, COUNCIL, POLICE)


def test_plain_email_is_no_way_and_a_stranger_carries_nothing(sandbox: Path, tmp_path: Path) -> None:
    """SEC-01: the ways are a closed list; who carries is a named user."""
    home = sandbox / COUNCIL
    by_mail = mash("carry", "out", POLICE, str(tmp_path), "--by", "email", home=home, user=MANAGER)
    assert (by_mail.code, "in-person" in by_mail.err) == (2, True)
    assert mash("carry", "out", POLICE, str(tmp_path), "--by", "cjsm", home=home, user="stranger").code == 1
    assert list(tmp_path.iterdir()) == []


def test_what_the_commands_answer_has_the_fields_that_its_shape_documents(sandbox: Path, tmp_path: Path) -> None:
    """SHAPES.md is what a program may rely on."""
    home, documented = sandbox / COUNCIL, documented_fields()
    for arguments in (
        ("carry", "out", POLICE, str(tmp_path), "--by", "nhsmail"),
        ("carry", "reconcile"),
    ):
        said = mash(*arguments, "--json", home=home, user=MANAGER)
        shown = json.loads(said.out)
        assert set(shown) - {"schema"} == documented[shown["schema"]]
    assert documented["mash.carried-in.v1"] == {"taken_in", "here_already"}
