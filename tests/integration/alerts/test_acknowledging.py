"""A human being says that an alert is seen, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from broker.alerts import Alert, AlertKind, Urgency, book
from broker.alerts.acknowledging import (
    Acknowledgement,
    Found,
    NotAcknowledged,
    acknowledge,
    acknowledge_by_token,
    find_by_token,
)
from broker.alerts.listing import listed_recent, listed_standing
from broker.alerts.tokens import Claim, Tokens
from broker.ledger.ledger import Ledger
from tests.support.parties import NOW

TOKENS = Tokens([b"0123456789abcdef"])
ALERT = Alert(AlertKind.BREACHED, "testford-police", Urgency.NOW, peer="testford-la", reference="ABCDE-FGHIJ")
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with Ledger.opened(ledger_url, now=NOW) as opened:
        await book.write(opened, [ALERT], now=NOW)
        yield opened


async def number_of(ledger: Ledger) -> int:
    (entry,) = await book.recent(ledger)
    return entry.number


async def token_of(ledger: Ledger) -> str:
    return TOKENS.make(Claim(await number_of(ledger), "testford-police", "contact_officer"), now=NOW)


async def test_a_link_that_is_only_looked_at_acknowledges_nothing(ledger: Ledger) -> None:
    """Attack without malice: a mail scanner follows every link of every mail."""
    for _ in range(3):
        found = await find_by_token(ledger, await token_of(ledger), tokens=TOKENS, now=LATER)
        assert isinstance(found, Found)
        assert (found.entry.alert, found.acknowledgement) == (ALERT, None)
    (listed,) = await listed_standing(ledger)
    assert listed.waits_for_a_human


async def test_a_link_that_is_confirmed_acknowledges_as_the_post_it_was_sent_to(ledger: Ledger) -> None:
    """The record says which desk and which post, and when."""
    token = await token_of(ledger)
    done = await acknowledge_by_token(ledger, token, tokens=TOKENS, now=LATER)
    number = await number_of(ledger)
    assert done == Acknowledgement(number, "testford-police", "contact_officer", LATER, is_first=True)
    (listed,) = await listed_recent(ledger)
    assert listed.acknowledgement == Acknowledgement(number, "testford-police", "contact_officer", LATER)
    assert not listed.waits_for_a_human


async def test_the_first_acknowledgement_stands_when_two_people_confirm_at_once(ledger: Ledger) -> None:
    """Both are told whose it was, and only one is kept."""
    number = await number_of(ledger)
    posts = [f"post-{one}" for one in range(8)]
    done = await asyncio.gather(*(acknowledge(ledger, number, by=post, now=LATER) for post in posts))
    kept = [one for one in done if isinstance(one, Acknowledgement)]
    assert [one.is_first for one in kept].count(True) == 1
    assert len({one.by for one in kept}) == 1
    assert len(kept) == len(posts)


@pytest.mark.parametrize("by", ["", "Tilly Ashgrove-Test", "x" * 41, "officer\n", "<b>"])
async def test_an_acknowledgement_by_a_person_instead_of_a_post_is_refused(ledger: Ledger, by: str) -> None:
    """No person's name in the hub's store."""
    assert await acknowledge(ledger, await number_of(ledger), by=by, now=LATER) is NotAcknowledged.POST_UNFIT


async def test_an_alert_that_is_not_there_is_not_acknowledged(ledger: Ledger) -> None:
    """Neither by number nor by a good token that outlived a ledger."""
    token = TOKENS.make(Claim(9_999, "testford-police", "contact_officer"), now=NOW)
    for found in (
        await acknowledge(ledger, 9_999, by="contact_officer", now=LATER),
        await acknowledge_by_token(ledger, token, tokens=TOKENS, now=LATER),
        await find_by_token(ledger, token, tokens=TOKENS, now=LATER),
    ):
        assert found is NotAcknowledged.NO_SUCH_ALERT


async def test_a_forged_or_expired_link_neither_shows_nor_acknowledges(ledger: Ledger) -> None:
    """Attack: guess the number of an alert."""
    forged = Tokens([b"fedcba9876543210"]).make(Claim(await number_of(ledger), "testford-police", "spoc"), now=NOW)
    expired = await token_of(ledger), NOW + timedelta(days=8)
    for token, now, why in (
        (forged, LATER, NotAcknowledged.FORGED),
        (*expired, NotAcknowledged.EXPIRED),
        ("no", LATER, NotAcknowledged.MALFORMED),
    ):
        assert await find_by_token(ledger, token, tokens=TOKENS, now=now) is why
        assert await acknowledge_by_token(ledger, token, tokens=TOKENS, now=now) is why
    (listed,) = await listed_standing(ledger)
    assert listed.acknowledgement is None


async def test_a_ledger_that_was_kept_before_alerts_were_acknowledged_is_carried_on(ledger_url: str) -> None:
    """Opening it to write makes the tables that are missing, and every alert of before can be acknowledged."""
    async with Ledger.opened(ledger_url, now=NOW) as before:
        await book.write(before, [ALERT], now=NOW)
        async with before.writing() as connection:
            for table in ("alert_telling", "alert_acknowledgement", "alert_way"):
                await connection.execute(text(f"DROP TABLE {table}"))
    async with Ledger.opened(ledger_url, now=LATER) as after:
        (listed,) = await listed_standing(after)
        done = await acknowledge(after, listed.entry.number, by="control-room", now=LATER)
        assert isinstance(done, Acknowledgement)
        assert after.began_at == NOW
