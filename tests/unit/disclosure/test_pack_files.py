"""The texts of a pack: how they are hashed, what is said of a line that is wrong, and what a pack remembers."""

import hashlib
from dataclasses import replace

import pytest

from adapters.kit.disclosure import RulePackInvalidError, build_pack, installed_files, load_pack
from adapters.kit.disclosure.pack import RuleFiles
from tests.unit.disclosure.asking import a_request, pack_with

NOTED = '@id("fire-extra") @says("Says something.") @source("practice")'


def test_a_packs_hash_can_be_computed_by_whoever_has_its_four_texts() -> None:
    """The ledger of another year names the hash: each text after its length in bytes, eight of them, largest first."""
    texts = ("schema", "", "ö", "facts")
    told = b"".join(len(text.encode()).to_bytes(8, "big") + text.encode() for text in texts)

    assert RuleFiles(*texts).hash == f"sha256:{hashlib.sha256(told).hexdigest()}"


def test_a_text_cannot_run_into_the_next() -> None:
    """The attack: a rule moved from the common file into an agency's own, under a hash that was signed."""
    assert RuleFiles("a", "bc", "d", "e").hash != RuleFiles("a", "b", "cd", "e").hash


def test_a_rule_that_does_not_agree_with_the_schema_is_named_by_its_place_in_the_files() -> None:
    """Whoever corrects it counts the rules that they see: the common ones, then the agency's own, from nought."""
    place = len(load_pack("fire").policies)
    rule = f'{NOTED} permit (principal, action in Action::"mark_content", resource) when {{ resource.colour == 1 }};'

    with pytest.raises(RulePackInvalidError, match=f"`policy{place}`.*colour"):
        pack_with("fire", own=rule)


def test_a_fact_that_is_wrong_is_named_by_its_place_in_the_file() -> None:
    """A lead who reads the message finds the line."""
    files = installed_files("fire")
    facts = f'{files.facts}\nodd_thing = {{ allows = "publish" }}\n'

    with pytest.raises(RulePackInvalidError) as caught:
        build_pack("fire", files=replace(files, facts=facts))
    (problem,) = caught.value.problems
    assert problem.startswith("agency.toml: record_types.odd_thing.allows: Input should be 'share'")


def test_every_problem_stands_on_a_line_of_its_own() -> None:
    """The adapter prints the exception and stops; what it prints is what has to be corrected."""
    with pytest.raises(RulePackInvalidError) as caught:
        pack_with("fire", own=f'{NOTED} @alert("panic") @redact("x") permit (principal, action, resource);')

    assert len(caught.value.problems) == 3
    assert str(caught.value).splitlines() == list(caught.value.problems)


@pytest.mark.parametrize(
    "rule",
    [
        f'{NOTED} permit (principal, action in Action::"mark_content", resource);',
        f'{NOTED} @onward("police") forbid (principal, action in Action::"more_open_than_summarise", resource);',
    ],
)
def test_a_pack_says_who_may_receive_in_a_marking(rule: str) -> None:
    """A list on a rule that closes never applies to what is shared, and a marking without a list names nobody."""
    with pytest.raises(RulePackInvalidError, match="@onward") as caught:
        build_pack("fire", files=replace(installed_files("fire"), own=rule))

    assert len(caught.value.problems) == 1


def test_a_common_rule_is_held_to_the_roles_that_every_agency_has() -> None:
    """What is wrong in a common file is said, too, and not only what is wrong in the agency's own."""
    rule = '@approver("chief_fire_officer") permit (principal, action in Action::"mark_content", resource);'

    with pytest.raises(RulePackInvalidError, match=r"^fire-extra: @approver: chief_fire_officer is no known role$"):
        pack_with("fire", common=f"{NOTED} {rule}")


def test_a_pack_never_remembers_more_routes_than_it_has_room_for() -> None:
    """The attack: request after request, each with a purpose of its own, until the memory is full of them."""
    pack = replace(load_pack("fire"), routes={})
    sizes = []
    for number in range(258):
        pack.wrong_route(a_request("fire", purpose=f"another purpose {number}"))
        sizes.append(len(pack.routes))

    assert max(sizes) == 256
    assert sizes[-2:] == [1, 2]


def test_what_a_pack_remembers_does_not_make_it_another_pack() -> None:
    """Two that would answer alike are alike, whatever either was asked before."""
    pack = load_pack("fire")

    assert replace(pack, routes={}) == replace(pack, routes={"asked before": ()})
    assert pack != load_pack("police")
