"""The plan between what a broker holds and what it should: nothing twice, less access first, no message lost."""

import pytest

from broker.provision import (
    Action,
    ByCertificate,
    ByPassword,
    Change,
    Item,
    Kind,
    desired_state,
    participant_url,
    plan,
)
from broker.topology import Topology
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key

LA, POLICE = "testford-la", "testford-police"
SIGNED = Topology.build([LA, POLICE], [(LA, POLICE)], monitor=True)
LISTED = Topology.build([LA, POLICE], [], monitor=True)
STATE = desired_state(SIGNED, accounts=ByCertificate())


def test_a_broker_equal_to_the_table_needs_no_change() -> None:
    """Repeating is without effect."""
    assert plan(STATE, STATE) == ()


def test_an_empty_broker_gets_everything_and_its_bindings_last() -> None:
    """A queue must be there, under its policy, before anything can be routed to it."""
    changes = plan(STATE, {})
    assert len(changes) == len(STATE)
    assert {change.action for change in changes} == {Action.CREATE}
    kinds = [change.item.kind for change in changes]
    assert kinds == sorted(kinds, key=list(Kind).index)


def test_an_agreement_that_ended_takes_its_bindings_away_before_anything_is_given() -> None:
    """GOV-11: routing stops; a plan never widens before it narrows."""
    changes = plan(desired_state(LISTED, accounts=ByCertificate()), STATE)
    assert {change.action for change in changes} == {Action.DELETE}
    names = {change.item.name for change in changes}
    for lane in Lane:
        assert (ingress_exchange(LA), queue_name(POLICE, lane), routing_key(POLICE, lane)) in names


def test_a_binding_that_somebody_added_by_hand_is_taken_away() -> None:
    """A tap on somebody's messages is a binding too many."""
    tap = Item(Kind.BINDING, (ingress_exchange(LA), queue_name(LA, Lane.ROUTINE), routing_key(POLICE, Lane.ROUTINE)))
    assert plan(STATE, {**STATE, tap: {}}) == (Change(Action.DELETE, tap),)


def test_a_permission_that_somebody_widened_is_narrowed() -> None:
    """Write access to every exchange would make anybody any sender."""
    item = Item(Kind.PERMISSION, (POLICE,))
    wide = {**STATE[item], "write": ".*"}
    assert plan(STATE, {**STATE, item: wide}) == (Change(Action.UPDATE, item, STATE[item]),)


def test_a_password_that_somebody_set_is_taken_away() -> None:
    """EXTERNAL alone: an account with a password is a second way in."""
    item = Item(Kind.USER, (POLICE,))
    changes = plan(STATE, {**STATE, item: {"password_hash": "x", "tags": ""}})
    assert changes == (Change(Action.UPDATE, item, {"password_hash": "", "tags": ""}),)


def test_a_topic_permission_is_never_kept() -> None:
    """None is meant, so any is a deviation."""
    item = Item(Kind.TOPIC_PERMISSION, (POLICE,))
    assert plan(STATE, {**STATE, item: {}}) == (Change(Action.DELETE, item),)


@pytest.mark.parametrize("settings", [{"durable": True, "auto_delete": False, "arguments": {}}, None])
def test_a_queue_is_never_replaced_or_dropped_by_a_plan(settings: dict[str, object] | None) -> None:
    """It may hold messages: a person drains it first."""
    mine, stray = Item(Kind.QUEUE, (queue_name(LA, Lane.ROUTINE),)), Item(Kind.QUEUE, ("mash.q.left.routine",))
    actual = {**STATE, mine: settings} if settings else {**STATE, stray: STATE[mine]}
    (change,) = plan(STATE, actual)
    assert change.action is Action.CONFLICT
    assert change.item == (mine if settings else stray)


def test_nothing_is_deleted_on_a_broker_that_others_use_too() -> None:
    """A developer's broker keeps what it had."""
    assert plan(desired_state(LISTED, accounts=ByCertificate()), STATE, prune=False) == ()


def test_a_change_never_shows_an_accounts_settings() -> None:
    """A password's hash is no business of a log's."""
    accounts = ByPassword("secret")
    change = Change(Action.CREATE, Item(Kind.USER, (LA,)), accounts.credential(LA))
    for text in (str(change), repr(change), repr(accounts)):
        assert "secret" not in text
        assert accounts.credential(LA)["password_hash"] not in text


def test_passwords_of_development_differ_by_user_and_by_secret() -> None:
    """One participant's password opens no other's account."""
    passwords = {ByPassword(secret).password(user) for secret in ("a", "b") for user in (LA, POLICE)}
    assert len(passwords) == 4
    url = participant_url("amqp://admin:a@host:5672/mash", participant=LA, accounts=ByPassword("a"))
    assert url == f"amqp://{LA}:{ByPassword('a').password(LA)}@host:5672/mash"
