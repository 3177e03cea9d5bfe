"""Retention end to end: an enquiry is asked, answered, decided, kept for its time, and erased on both sides."""

from datetime import timedelta

import pytest

from adapters.kit.store.errors import ContentErased
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from schemas.content.notice import Rerating
from tests.integration.commands.office import (
    ENQUIRY,
    HOUSING,
    POLICE,
    PRACTITIONER,
    answered,
    enquiry_of,
    issued,
    ledger_of,
    received,
    rfi_of,
)

SIX_YEARS = timedelta(days=6 * 365)


async def decided(area: Area) -> None:
    """Decide, and let everybody hear."""
    await area.console.decision_maker.decide(
        ENQUIRY, outcome="early_help", level_of_need="2", rationale="as known", next_step="early help", user=MANAGER
    )
    await area.settle()


async def test_a_decided_enquiry_is_erased_on_both_sides_in_its_time(area: Area) -> None:
    """Content goes; the lists still work, the ledgers hold and say so, and what comes too late is refused."""
    await issued(area, HOUSING)
    rfi = await rfi_of(area, HOUSING)
    await answered(area, HOUSING)
    await decided(area)
    council, housing = area.adapters[COUNCIL], area.adapters[HOUSING]
    assert (await council.retention().run_once()).erased == ()
    assert (await housing.retention().run_once()).erased == ()

    area.time += SIX_YEARS + timedelta(days=1)
    for adapter in (council, housing):
        assert (await adapter.retention().run_once()).kept_back == ()
        assert await ledger_of(adapter, "content.erased")
        assert (await adapter.store.verify_ledger()).broken_at is None
    with pytest.raises(ContentErased):
        await area.console.answers.collation(ENQUIRY, user=MANAGER)
    assert await area.console.answers.standing(user=MANAGER) == ()
    with pytest.raises(ContentErased):
        await housing.desk.show(rfi, user=PRACTITIONER[HOUSING])
    assert await housing.desk.list() == ()

    late = Rerating(enquiry=ENQUIRY, rfi=rfi, rag="RED", response_due_at=area.time)
    async with housing.store.transaction() as tx:
        verdict = await housing.apply(tx, received(late, sender=COUNCIL, now=area.time))
    assert verdict is not None
    assert verdict.code == "E25"


async def test_what_is_not_decided_or_not_answered_has_no_date(area: Area) -> None:
    """Six years of silence erase nothing: the clock of a matter starts when it is closed."""
    await issued(area, HOUSING, POLICE)
    await answered(area, HOUSING)
    area.time += SIX_YEARS * 2
    for participant in (COUNCIL, POLICE):
        await area.adapters[participant].retention().run_once()
    assert (await enquiry_of(area)).reference == ENQUIRY
    assert len(await area.adapters[POLICE].desk.list()) == 1
