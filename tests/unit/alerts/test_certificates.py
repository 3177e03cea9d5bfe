"""The certificates that participants, and the watch itself, show the broker: counted down like keys."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from broker.alerts import HUB, HubFigures, Urgency, View
from broker.alerts.endings import endings as alerts_on
from broker.alerts.rules import judge
from broker.calendars import Calendars
from broker.expiries import EndingKind, Nearness
from broker.peer_certificates import certificates_of
from broker.telemetry import Telemetry
from broker.topology import MONITOR
from broker.watch.samples import Ledgers, samples
from tests.support.parties import NOW
from tests.unit.watch.traffic import POLICE, directory

DAY = timedelta(days=1)


def view_with(**ends: datetime) -> View:
    """A view in which the broker says until when certificates are good; names by `_` for `-`."""
    shown = {name.replace("_", "-"): at for name, at in ends.items()}
    figures = HubFigures(dead=0, certificates=shown)
    return View(now=NOW, began_at=NOW, directory=directory(), calendars=Calendars(), figures=figures)


def test_the_end_of_each_accounts_certificate_is_read_off_its_connections() -> None:
    """As RabbitMQ words it: both moments, in UTC; of two connections the certificate that ends first."""
    rows = [
        {"user": POLICE, "peer_cert_validity": "2026-11-22T12:00:00Z - 2027-11-22T12:00:00Z"},
        {"user": POLICE, "peer_cert_validity": "2025-11-25T12:00:00Z - 2026-11-25T12:00:00Z"},
        {"user": MONITOR, "peer_cert_validity": "2026-01-01T00:00:00Z - 2027-01-01T00:00:00Z"},
    ]
    assert certificates_of(rows) == {
        POLICE: datetime(2026, 11, 25, 12, tzinfo=UTC),
        MONITOR: datetime(2027, 1, 1, tzinfo=UTC),
    }


@pytest.mark.parametrize("validity", [None, "", " - ", "soon", "2026-11-22T12:00:00Z - Tilly Test", "a - 2027-01-01"])
def test_a_validity_that_is_not_understood_says_nothing(validity: object) -> None:
    """A connection without TLS, or another broker's wording."""
    assert certificates_of([{"user": POLICE, "peer_cert_validity": validity}, {"user": POLICE}]) == {}


@pytest.mark.parametrize(
    ("left", "urgency"),
    [
        (30 * DAY + timedelta(seconds=1), None),
        (30 * DAY, Urgency.WEEK),
        (7 * DAY, Urgency.TODAY),
        (timedelta(0), Urgency.NOW),
    ],
    ids=["far", "a-month", "a-week", "over"],
)
def test_the_watchs_own_certificate_becomes_an_alert_as_it_nears_its_end(
    left: timedelta, urgency: Urgency | None
) -> None:
    """Without it the watch is deaf, and nobody would know who waits."""
    own = [alert for alert in alerts_on(view_with(monitor=NOW + left)) if alert.code.startswith("certificate")]
    expected = [] if urgency is None else [(HUB, urgency, f"certificate:{MONITOR}")]
    assert [(alert.participant, alert.urgency, alert.code) for alert in own] == expected


def test_an_agencys_certificate_is_counted_down_and_a_strangers_is_not() -> None:
    """An operator's account, or one that was struck off, is nobody's desk to ring."""
    view = view_with(testford_police=NOW + DAY, operator=NOW, testford_stranger=NOW)
    found = [(one.whose, one.nearness) for one in view.endings() if one.kind is EndingKind.CERTIFICATE]
    assert found == [(POLICE, Nearness.TODAY)]
    assert "operator" not in {alert.participant for alert in judge(view)}


def test_a_hub_that_gives_no_figures_says_nothing_of_certificates() -> None:
    """That it gives none is an alert of its own."""
    silent = replace(view_with(monitor=NOW), figures=None)
    assert EndingKind.CERTIFICATE not in {one.kind for one in silent.endings()}


def test_what_ends_first_of_each_kind_is_a_figure_in_seconds() -> None:
    """For Prometheus, which counts down; the watch's own is the hub's."""
    view, telemetry = view_with(monitor=NOW + DAY, testford_police=NOW - DAY), Telemetry()
    telemetry.know(directory().records)
    telemetry.show(samples(view, (), Ledgers(0, 0, True, True, frozenset())))
    shown = generate_latest(telemetry.registry).decode()
    assert 'mash_ends_in_seconds{kind="certificate",participant="hub"} 86400.0' in shown
    assert f'mash_ends_in_seconds{{kind="certificate",participant="{POLICE}"}} -86400.0' in shown
    assert f'mash_ends_in_seconds{{kind="signing_key",participant="{POLICE}"}}' in shown
