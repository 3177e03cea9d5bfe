"""Drafts: what is written down is read back, and nothing else is believed."""

import json

import pytest

from adapters.kit.delivery.policy import DeliveryPolicy
from adapters.kit.envelope import drafts
from adapters.kit.store.errors import StoreDamaged
from schemas.routing import Lane
from tests.support.fake_sealing import request_to


def test_a_draft_is_read_back_as_it_was() -> None:
    """A held message is sealed later from exactly what its author pressed send on."""
    outgoing = request_to("testford-police", b"\x00text\xff", lane=Lane.URGENT, in_reply_to="mid")
    assert drafts.from_bytes(drafts.to_bytes(outgoing)) == outgoing


@pytest.mark.parametrize("change", [{"event": "XXX"}, {"sections": {"team": "?"}}, {"author": ["one"]}, {"more": 1}])
def test_a_draft_that_is_not_ours_is_damage(change: dict[str, object]) -> None:
    """Strict reading: an unknown field or value stops, it is never guessed."""
    plain = json.loads(drafts.to_bytes(request_to("testford-police"))) | change
    with pytest.raises(StoreDamaged):
        drafts.from_bytes(json.dumps(plain).encode())


def test_pauses_double_up_to_the_bound_of_the_lane() -> None:
    """Urgent messages are tried again sooner, and never in a storm."""
    policy = DeliveryPolicy()
    pauses = [policy.pause(Lane.URGENT, attempt=attempt).total_seconds() for attempt in (1, 2, 3, 4, 5, 60)]
    assert pauses == [1, 2, 4, 8, 15, 15]
    assert policy.pause(Lane.ROUTINE, attempt=60).total_seconds() == 300


def test_repetitions_thin_out_after_the_alarm() -> None:
    """The bound of the class twice, an alarm, and then ever longer, so that a slow partner is not buried."""
    policy = DeliveryPolicy()
    bound = policy.received_within[Lane.URGENT]
    waits = [policy.silence(bound, silences=silences).total_seconds() for silences in range(8)]
    assert waits == [60, 60, 120, 240, 480, 960, 960, 960]
