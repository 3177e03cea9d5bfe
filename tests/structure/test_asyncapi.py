"""`schemas/asyncapi.yaml` tells implementers what the code does: its names, lanes and limits are the code's own."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.hub import MAX_BODY_BYTES
from broker.topology import ANSWER_LANE, HUB, HUB_LANE, Topology
from broker.transport import CONTENT_TYPE
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key

CONTRACT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "schemas" / "asyncapi.yaml").read_text("utf-8"))
A, B = "testford-council", "testford-police"


def _said(name: str, *, lane: Lane) -> str:
    return name.replace("{sender}", A).replace("{recipient}", B).replace("{lane}", lane.value)


@pytest.mark.parametrize("lane", Lane)
def test_an_implementer_is_told_the_names_that_the_hub_uses(lane: Lane) -> None:
    """The routing key, the exchange and the queue of the contract are those of `schemas.routing`."""
    ingress, inbox = CONTRACT["channels"]["ingress"], CONTRACT["channels"]["inbox"]
    assert _said(ingress["address"], lane=lane) == routing_key(B, lane)
    assert _said(ingress["bindings"]["amqp"]["exchange"]["name"], lane=lane) == ingress_exchange(A)
    assert _said(inbox["address"], lane=lane) == queue_name(B, lane)
    assert _said(inbox["bindings"]["amqp"]["queue"]["name"], lane=lane) == queue_name(B, lane)


@pytest.mark.parametrize("channel", ["ingress", "inbox"])
def test_an_implementer_is_told_every_lane(channel: str) -> None:
    """A lane that is not in the contract would be read by nobody."""
    assert CONTRACT["channels"][channel]["parameters"]["lane"]["enum"] == [lane.value for lane in Lane]


def test_an_implementer_is_told_where_the_hubs_manifests_come_from_and_where_the_answer_goes() -> None:
    """Whoever waited in another lane would never hear that a message was dropped."""
    said = CONTRACT["components"]["messages"]["word"]["summary"]
    assert f"`{ingress_exchange(HUB)}`" in said
    assert f"`{routing_key('{recipient}', HUB_LANE)}`" in said
    assert f"`{routing_key(HUB, ANSWER_LANE)}`" in said


def test_an_implementer_is_told_the_kind_of_exchange_and_the_limits() -> None:
    """What is published in another way than the hub expects is refused by it."""
    message = CONTRACT["components"]["messages"]["envelope"]
    table = Topology.build([A, B], [(A, B)], monitor=False)
    kinds = {exchange.kind for exchange in table.exchanges if exchange.name == ingress_exchange(A)}
    assert {CONTRACT["channels"]["ingress"]["bindings"]["amqp"]["exchange"]["type"]} == kinds
    assert message["payload"]["maxLength"] == MAX_BODY_BYTES
    assert {message["contentType"], CONTRACT["defaultContentType"]} == {CONTENT_TYPE}
