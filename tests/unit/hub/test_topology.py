"""The table: who may reach whom, and nobody else."""

import re
from itertools import permutations

import pytest

from broker.errors import Misuse
from broker.topology import (
    ANSWER_LANE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    HUB,
    HUB_LANE,
    MONITOR,
    NOTHING,
    POLICIES,
    Topology,
    canary_key,
    ingress_of,
)
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key

LA, POLICE, HEALTH = "testford-la", "testford-police", "testford-health"


def build(*pairs: tuple[str, str], monitor: bool = False, suspended: tuple[str, ...] = ()) -> Topology:
    return Topology.build([LA, POLICE, HEALTH], pairs, monitor=monitor, suspended=suspended)


def reach(topology: Topology, sender: str, recipient: str) -> tuple[str, ...]:
    return topology.routes(ingress_exchange(sender), key=routing_key(recipient, Lane.URGENT))


def test_a_permitted_pair_is_routed_one_way_only() -> None:
    """A pair is permitted in the direction that was agreed."""
    topology = build((LA, POLICE))
    assert reach(topology, LA, POLICE) == (queue_name(POLICE, Lane.URGENT),)
    assert reach(topology, POLICE, LA) == ()


def test_a_participant_that_has_not_signed_reaches_nobody_and_is_reached_by_nobody() -> None:
    """GOV-01: listed is not permitted; an empty list of pairs means no."""
    topology = build()
    assert all(reach(topology, *pair) == () for pair in permutations((LA, POLICE, HEALTH), 2))


def test_the_tap_never_makes_an_unroutable_message_look_routed() -> None:
    """The monitor is bound with exactly the permitted keys, so mandatory still returns what nobody may read."""
    topology = build((LA, POLICE), monitor=True)
    assert reach(topology, LA, HEALTH) == ()
    assert set(reach(topology, LA, POLICE)) == {queue_name(POLICE, Lane.URGENT), queue_name(MONITOR, Lane.URGENT)}


def test_a_suspended_participant_keeps_its_queues_and_loses_every_access() -> None:
    """REC-06: nothing in flight is lost, and nothing is written or read meanwhile."""
    topology = build((LA, POLICE), (POLICE, LA), suspended=(POLICE,))
    permission = next(each for each in topology.permissions if each.user == POLICE)
    assert (permission.configure, permission.write, permission.read) == (NOTHING, NOTHING, NOTHING)
    assert queue_name(POLICE, Lane.ROUTINE) in {queue.name for queue in topology.queues}
    assert reach(topology, LA, POLICE) == reach(topology, POLICE, LA) == ()


def test_a_participant_can_never_be_permitted_to_itself() -> None:
    """The key to oneself is the canary's, and no message's."""
    with pytest.raises(Misuse):
        build((LA, LA))


@pytest.mark.parametrize("names", [["monitor", "dead"], ["testford.la", "x"], ["Testford", LA], ["a|b", LA]])
def test_a_name_that_would_widen_a_pattern_is_refused(names: list[str]) -> None:
    """Names become regular expressions in the broker's permissions."""
    with pytest.raises(Misuse):
        Topology.build(names, [], monitor=False)


def test_a_pair_with_a_stranger_is_refused() -> None:
    """A typing error in the agreements must not become a binding."""
    with pytest.raises(Misuse):
        build((LA, "testford-school"))


def test_nobody_may_configure_anything_and_each_writes_its_own_ingress_alone() -> None:
    """Only the operator declares; permissions are anchored, and no name fits another's."""
    topology = build(monitor=True)
    assert {each.configure for each in topology.permissions} == {NOTHING}
    for permission in topology.permissions:
        writable = [each.name for each in topology.exchanges if re.search(permission.write, each.name)]
        readable = [each.name for each in topology.queues if re.search(permission.read, each.name)]
        assert writable == [ingress_of(permission.user)]
        assert sorted(readable) == sorted(queue_name(permission.user, lane) for lane in Lane)


def test_every_queue_has_a_policy_a_dead_letter_and_a_reader() -> None:
    """Structure: a queue that nobody reads or that has no dead letter is where messages are lost."""
    topology = build(monitor=True)
    assert (DEAD_EXCHANGE, DEAD_QUEUE) in {(each.source, each.destination) for each in topology.bindings}
    for queue in topology.queues:
        policy = max((each for each in POLICIES if re.search(each.pattern, queue.name)), key=lambda each: each.priority)
        is_agency = not queue.name.startswith((DEAD_QUEUE, "mash.q.monitor."))
        assert ("dead-letter-exchange" in policy.definition) is is_agency
        readers = [each.user for each in topology.permissions if re.search(each.read, queue.name)]
        assert len(readers) == (0 if queue.name == DEAD_QUEUE else 1)


def test_at_least_once_dead_lettering_is_never_silently_switched_off() -> None:
    """RabbitMQ falls back to at-most-once without reject-publish."""
    for policy in POLICIES:
        if policy.definition.get("dead-letter-strategy") == "at-least-once":
            assert policy.definition["overflow"] == "reject-publish"


def test_a_canary_reaches_its_own_sender_and_no_tap() -> None:
    """The sign of life is not traffic: the monitor never sees it."""
    topology = build((LA, POLICE), monitor=True)
    for lane in Lane:
        assert topology.routes(ingress_exchange(LA), key=canary_key(LA, lane)) == (queue_name(LA, lane),)
        assert topology.routes(ingress_exchange(POLICE), key=canary_key(LA, lane)) == ()


def test_the_hub_reaches_who_takes_part_is_answered_by_them_and_reaches_nobody_else() -> None:
    """Its ingress leads to one lane of each, not to who is only listed, and never from one agency to another."""
    topology = build((LA, POLICE), monitor=True)
    hub = {(each.destination, each.key) for each in topology.bindings if each.source == ingress_exchange(HUB)}
    said = {(queue_name(name, HUB_LANE), routing_key(name, HUB_LANE)) for name in (LA, POLICE)}
    assert hub - said == {(queue_name(MONITOR, lane), canary_key(MONITOR, lane)) for lane in Lane}
    answers = {
        name: topology.routes(ingress_exchange(name), key=routing_key(HUB, ANSWER_LANE)) for name in (LA, HEALTH)
    }
    assert answers == {LA: (queue_name(MONITOR, ANSWER_LANE),), HEALTH: ()}


def test_the_hub_neither_reaches_nor_hears_somebody_suspended() -> None:
    """REC-06: out is out, for the hub's own words too."""
    topology = build((LA, POLICE), (POLICE, HEALTH), monitor=True, suspended=(POLICE,))
    assert topology.routes(ingress_exchange(HUB), key=routing_key(POLICE, HUB_LANE)) == ()
    assert topology.routes(ingress_exchange(POLICE), key=routing_key(HUB, ANSWER_LANE)) == ()


def test_no_queue_loses_messages_to_the_default_delivery_limit_of_a_newer_broker() -> None:
    """4.x drops after 20 deliveries where no limit is set, and looking at a dead letter counts as one."""
    assert all(policy.definition["delivery-limit"] >= 100 for policy in POLICIES)


@pytest.mark.parametrize(("agencies", "bindings"), [(6, 90), (12, 396)])
def test_the_table_has_one_binding_a_pair_and_lane(agencies: int, bindings: int) -> None:
    """Everybody with everybody: the figures of the design, beside the canaries and the dead letters."""
    names = [f"testford-{number}" for number in range(agencies)]
    topology = Topology.build(names, permutations(names, 2), monitor=False)
    assert len(topology.bindings) - agencies * len(Lane) - 1 == bindings
