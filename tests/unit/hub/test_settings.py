"""The bounds of every wait, and what they add up to."""

import pytest

from broker.settings import Backoff, TransportSettings
from schemas.routing import Lane

BROKER_CONSUMER_TIMEOUT = 900


def test_a_consumer_is_alive_again_within_15_seconds_of_any_cut() -> None:
    """The worst case adds up: silence, the last look at it, closing, the first pause, and a second to connect."""
    settings = TransportSettings()
    noticed = settings.silence_limit + settings.canary_interval / 2
    assert noticed + settings.close_timeout + settings.backoff.pause(1, chance=1.0) + 1 <= 15
    # A hub that was long away is met at the end of the longest pause.
    assert settings.backoff.pause(99, chance=1.0) + 1 <= 15


def test_a_broker_that_lost_us_gives_our_messages_to_the_next_within_15_seconds() -> None:
    """RabbitMQ drops a connection after two heartbeats without a sound."""
    assert 2 * TransportSettings().heartbeat <= 15


def test_a_stuck_handler_is_given_up_before_the_broker_gives_us_up() -> None:
    """The broker's consumer_timeout would close the channel under every other delivery."""
    settings = TransportSettings()
    assert settings.handler_timeout * 2 < BROKER_CONSUMER_TIMEOUT
    assert set(settings.prefetch) == set(Lane)


@pytest.mark.parametrize(("failures", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 12.0), (10_000, 12.0)])
def test_pauses_double_up_to_the_cap_and_are_never_in_step(failures: int, longest: float) -> None:
    """Jitter: agencies that lost the hub together do not come back together."""
    backoff = Backoff()
    assert backoff.pause(failures, chance=1.0) == longest
    assert backoff.pause(failures, chance=0.0) == longest / 2
