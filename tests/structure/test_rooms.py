"""The house of the design: each agency has its folder, and the hub's names hold nothing but participants and lanes."""

from pathlib import Path

import pytest

from schemas.agency import AGENCY_KINDS, is_participant_id
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", AGENCY_KINDS)
def test_every_kind_of_agency_has_a_folder_of_its_own(kind: str) -> None:
    """One agency, one folder, one shape."""
    assert (ROOT / "adapters" / kind / "__init__.py").is_file()


@pytest.mark.parametrize("text", ["dead", "monitor", "Police", "a", "police.1", "a" * 41, "police_1", "-police", ""])
def test_a_name_that_could_escape_into_a_pattern_is_no_participant(text: str) -> None:
    """RabbitMQ expands user names unescaped: a dot or an underscore in one would widen a permission."""
    assert not is_participant_id(text)


def test_routing_names_are_made_of_participant_and_lane_alone() -> None:
    """SEC-02: nothing else may enter a routing key or a queue name."""
    assert ingress_exchange("testford-police") == "mash.in.testford-police"
    assert routing_key("testford-police", Lane.URGENT) == "testford-police.urgent"
    assert queue_name("testford-police", Lane.RECEIPT) == "mash.q.testford-police.receipt"
