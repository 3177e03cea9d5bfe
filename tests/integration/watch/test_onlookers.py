"""Whoever looks on is shown every round, and can hold nothing up."""

from datetime import timedelta
from pathlib import Path

from broker.alerts import AlertKind
from broker.watch.glance import Glance
from tests.integration.watch.watching import World, watching


async def test_an_onlooker_is_shown_the_round_with_its_alerts(tmp_path: Path) -> None:
    """The page and the metrics speak of the same moment."""
    world, seen = World(), list[Glance]()
    async with watching(f"sqlite:///{tmp_path}/ledger.sqlite", world, onlookers=(seen.append,)) as opened:
        world.now += timedelta(hours=27)
        wanted = await opened.watch.round()
    (glance,) = seen
    assert glance.view.now == world.now
    assert glance.alerts == wanted
    assert AlertKind.SILENT in {alert.kind for alert in glance.alerts}
    assert glance.ledgers.is_up


async def test_an_onlooker_that_fails_hides_the_round_from_no_other(tmp_path: Path) -> None:
    """The attack: a page that cannot draw stops the watch that it shows."""
    seen = list[Glance]()

    def fails(_glance: Glance) -> None:
        raise RuntimeError("drawing failed")

    async with watching(f"sqlite:///{tmp_path}/ledger.sqlite", World(), onlookers=(fails, seen.append)) as opened:
        await opened.watch.round()
        assert opened.value("mash_watch_faults_total") == 1
    assert len(seen) == 1
