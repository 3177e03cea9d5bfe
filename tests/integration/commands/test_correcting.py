"""A correction reaches everyone who received the item, and is open until each has seen it (RSP-13)."""

import pytest

from adapters.kit.refusal import Refused
from deploy.demo.agencies import MANAGER
from deploy.demo.area import Area
from tests.integration.commands.office import (
    ENQUIRY,
    HOUSING,
    PRACTITIONER,
    answered,
    approve_all,
    collation_of,
    enquiry_of,
    issued,
    rfi_of,
)


async def corrected(area: Area, wording: str) -> None:
    """Correct the first record of the housing service, and let it arrive."""
    desk, rfi, user = area.adapters[HOUSING].desk, await rfi_of(area, HOUSING), PRACTITIONER[HOUSING]
    await desk.summarise(rfi, "HOU-01", wording=wording, user=user)
    await approve_all(area, HOUSING, rfi)
    await desk.correct(rfi, "HOU-01", wording=wording, what_was_wrong="the month", user=user)
    await area.settle()


async def test_a_correction_stays_open_until_each_of_two_services_has_seen_it(area: Area) -> None:
    """RSP-13: the danger is a family worker who acts on what was wrong, because another team has said that it knows."""
    await issued(area, HOUSING)
    item = (await answered(area, HOUSING)).items[0].item
    decision_maker = area.console.decision_maker
    for service in ("team north", "team south", "team north"):
        await decision_maker.hand_over(ENQUIRY, service, (item,), user=MANAGER)
    await corrected(area, "August, not September")
    waiting = [(task.audience, task.service) for task in (await enquiry_of(area)).corrections]
    assert waiting == [("mash_team", ""), ("receiving_service", "team north"), ("receiving_service", "team south")]

    with pytest.raises(Refused, match="say which has seen it: team north, team south"):
        await decision_maker.acknowledge_correction(ENQUIRY, item, "receiving_service", user=MANAGER)
    for service, then in (("team north", 2), ("team south", 1)):
        await decision_maker.acknowledge_correction(ENQUIRY, item, "receiving_service", user=MANAGER, service=service)
        with pytest.raises(Refused, match=f"no correction of {item} waits for {service}"):
            await decision_maker.acknowledge_correction(
                ENQUIRY, item, "receiving_service", user=MANAGER, service=service
            )
        assert (await collation_of(area)).counters.correction_acknowledgements_owed == then
