"""The whole enquiry about the Ashgrove-Test family, over both hubs, on every agency's real format."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from adapters.la.console.collation import Collation
from deploy.demo.area import Area, make_homes, topology_of
from deploy.demo.expected import differences
from deploy.demo.scenario import STEPS, Ashgrove
from tests.support.hubs import HubFactory

START = STEPS[0][0]

pytestmark = [pytest.mark.xdist_group("rabbitmq"), pytest.mark.timeout(300)]


@pytest.fixture
async def collation(tmp_path: Path, hub_factory: HubFactory) -> AsyncIterator[Collation]:
    """The final collation as the decision maker sees it, after the whole scenario over this hub."""
    directory = make_homes(tmp_path, hub="embedded:hub.db", now=START)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_factory(topology_of(directory)))
        area = await stack.enter_async_context(Area.opened(tmp_path, directory, hub, start=START))
        yield await Ashgrove(area, tell=lambda _when, _said: None).run()


async def test_the_enquiry_comes_back_as_the_scenario_says_over_either_hub(collation: Collation) -> None:
    """Every expected counter, and for every agency what came, what was held back and for whom."""
    assert list(differences(collation)) == []
    _check_police(collation)
    _check_idva(collation)
    _check_health(collation)
    _check_markings(collation)


def _check_police(collation: Collation) -> None:
    police = [one for one in collation.items if one.participant == "testford-police"]
    sealed = [one for one in police if one.sealed]
    assert len(police) - len(sealed) == 2
    assert {one.item.marking.onward for one in sealed} == {("decision_maker",), ()}
    assert not any("Plough" in one.item.wording or "informant" in one.item.wording for one in police)
    assert all("family" not in one.item.marking.onward for one in police)


def _check_idva(collation: Collation) -> None:
    idva = [one for one in collation.items if one.participant == "testford-idva"]
    assert len(idva) == 1
    assert idva[0].item.marking.onward == ("decision_maker", "assessing_social_worker", "police")
    held = [one for one in collation.held_back if one.participant == "testford-idva"]
    referred = {one.referral.refer_to: one.note for one in held if one.referral}
    assert referred == {("police",): "police already asked", ("marac",): None}
    everything = collation.model_dump_json()
    assert "Juniper" not in everything
    assert "4412" not in everything


def _check_health(collation: Collation) -> None:
    (row,) = [row for row in collation.rows if row.participant == "testford-health"]
    assert not row.late
    late = [one for one in collation.items if one.participant == "testford-health" and one.late]
    assert len(late) == 2
    assert not any("chlamydia" in one.item.wording.lower() for one in collation.items)
    assert not any("PHQ" in one.item.wording for one in collation.items)


def _check_markings(collation: Collation) -> None:
    assert any(one.item.marking.permits("receiving_service") for one in collation.items)
    for one in collation.items:
        assert not {"family", "referrer", "named_other"} & set(one.item.marking.onward)
        if one.participant in ("testford-police", "testford-probation", "testford-recovery"):
            assert "receiving_service" not in one.item.marking.onward
