"""The doctor names every deviation: each is put into a healthy observation, and found."""

from dataclasses import replace
from typing import Any

import pytest

from broker.doctor import Observation, diagnose
from broker.provision import ByCertificate, Item, Kind, desired_state
from broker.topology import DEAD_QUEUE, Topology
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key

LA, POLICE = "testford-la", "testford-police"
TOPOLOGY = Topology.build([LA, POLICE], [(LA, POLICE)], monitor=True)
ACCOUNTS = ByCertificate()


def healthy_queue(name: str) -> dict[str, Any]:
    policy = TOPOLOGY.policy_of(name)
    assert policy
    return {
        "name": name,
        "consumers": 0 if name == DEAD_QUEUE else 1,
        "messages": 0,
        "members": ["one", "two", "three"],
        "online": ["one", "two", "three"],
        "effective_policy_definition": dict(policy.definition),
        "operator_policy": None,
    }


HEALTHY = Observation(
    state=desired_state(TOPOLOGY, accounts=ACCOUNTS),
    operator="hub.operator",
    nodes=[
        {
            "name": "hub@one",
            "running": True,
            "mem_alarm": False,
            "disk_free_alarm": False,
            "partitions": [],
            "auth_mechanisms": [{"name": "EXTERNAL", "enabled": True}, {"name": "PLAIN", "enabled": False}],
        }
    ],
    listeners=[{"protocol": "amqp/ssl", "port": 5671}, {"protocol": "http", "port": 15672}],
    vhosts=["mash"],
    users=[{"name": "hub.operator", "tags": ["administrator"]}, {"name": LA, "tags": []}],
    queues=[healthy_queue(queue.name) for queue in TOPOLOGY.queues],
    flags={"quorum_queue": "enabled", "stream_queue": "enabled", "user_limits": "enabled"},
    certificates_are_good=True,
)
TAP = Item(Kind.BINDING, (ingress_exchange(LA), queue_name(LA, Lane.ROUTINE), routing_key(POLICE, Lane.ROUTINE)))
URGENT = queue_name(POLICE, Lane.URGENT)


def with_queue(name: str, **differences: object) -> Observation:
    queues = [{**queue, **differences} if queue["name"] == name else queue for queue in HEALTHY.queues]
    return replace(HEALTHY, queues=queues)


def with_node(**differences: object) -> Observation:
    return replace(HEALTHY, nodes=[{**HEALTHY.nodes[0], **differences}])


def mechanisms(**enabled: bool) -> list[dict[str, object]]:
    return [{"name": name, "enabled": on} for name, on in enabled.items()]


UNSAFE_POLICY = {**healthy_queue(URGENT)["effective_policy_definition"], "overflow": "drop-head"}
CASES = {
    "D03 a binding too many": replace(HEALTHY, state={**HEALTHY.state, TAP: {}}),
    "D01 an empty broker": replace(HEALTHY, state={}),
    "D10 PLAIN still on": with_node(auth_mechanisms=mechanisms(EXTERNAL=True, PLAIN=True)),
    "D10 ANONYMOUS of 4.x": with_node(auth_mechanisms=mechanisms(EXTERNAL=True, ANONYMOUS=True)),
    "D11 EXTERNAL off": with_node(auth_mechanisms=[]),
    "D12 AMQP without TLS": replace(HEALTHY, listeners=[{"protocol": "amqp", "port": 5672}]),
    "D13 guest still there": replace(HEALTHY, users=[*HEALTHY.users, {"name": "guest", "tags": ["administrator"]}]),
    "D14 another administrator": replace(HEALTHY, users=[*HEALTHY.users, {"name": "x", "tags": "administrator"}]),
    "D15 the default vhost": replace(HEALTHY, vhosts=["/", "mash"]),
    "D20 no policy in effect": with_queue(URGENT, effective_policy_definition={}),
    "D20 a policy that loses dead letters": with_queue(URGENT, effective_policy_definition=UNSAFE_POLICY),
    "D21 an operator policy": with_queue(URGENT, operator_policy="expire"),
    "D22 a feature flag off": replace(HEALTHY, flags={"stream_queue": "disabled"}),
    "D23 an expiring certificate": replace(HEALTHY, certificates_are_good=False),
    "D30 a queue without a consumer": with_queue(URGENT, consumers=0),
    "D31 a dead letter": with_queue(DEAD_QUEUE, messages=1),
    "D32 a member offline": with_queue(URGENT, online=["one", "two"]),
    "D33 a node down": with_node(running=False),
    "D34 no disk": with_node(disk_free_alarm=True),
    "D34 no memory": with_node(mem_alarm=True),
    "D35 a partition": with_node(partitions=["hub@two"]),
}


def test_a_healthy_broker_has_no_deviation() -> None:
    """No false alarm."""
    assert diagnose(TOPOLOGY, HEALTHY, accounts=ACCOUNTS) == ()


@pytest.mark.parametrize("case", CASES)
def test_the_doctor_names_the_deviation_and_no_other(case: str) -> None:
    """Each has a code of its own, so that an alarm can be routed by it."""
    found = diagnose(TOPOLOGY, CASES[case], accounts=ACCOUNTS)
    assert {deviation.code for deviation in found} == {case.partition(" ")[0]}
