"""The definitions file: the same table, in RabbitMQ's own words."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

from broker.definitions import definitions
from broker.topology import POLICIES, Topology

FILE = Path(__file__).parents[3] / "deploy/rabbitmq/definitions.json"
NAMES = ("testford-la", "testford-police")


def rows(topology: Topology) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(definitions(topology))
    return found


def test_the_file_in_the_repository_is_the_table_of_a_hub_without_participants() -> None:
    """Whoever changes the table and not the file sees it here."""
    assert FILE.read_text("utf-8") == definitions(Topology.build([], [], monitor=True))


def test_the_file_names_everything_of_the_table() -> None:
    """Nothing is left for a node to make up."""
    topology = Topology.build(NAMES, permutations(NAMES, 2), monitor=True)
    written = rows(topology)
    assert {row["name"] for row in written["queues"]} == {queue.name for queue in topology.queues}
    assert {row["name"] for row in written["exchanges"]} == {exchange.name for exchange in topology.exchanges}
    assert {row["name"] for row in written["policies"]} == {policy.name for policy in POLICIES}
    ends = {(row["source"], row["destination"], row["routing_key"]) for row in written["bindings"]}
    assert ends == {(each.source, each.destination, each.key) for each in topology.bindings}


def test_no_account_in_the_file_has_a_password_or_a_tag() -> None:
    """The attack: a definitions file is copied about, and with it a way in."""
    topology = Topology.build(NAMES, [], monitor=True)
    assert {(row["password_hash"], row["tags"]) for row in rows(topology)["users"]} == {("", "")}
    assert {row["name"] for row in rows(topology)["users"]} == set(topology.users)
