"""A canary in every content field of a request and of an answer: it appears nowhere but in the recipient's own store.

"Nowhere" is every byte on disk of every participant and of the hub (RabbitMQ's whole data folder included), everything
printed, everything logged and every metric. Stores are sealed at rest, so that even there it is not in clear.
"""

import csv
import logging
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest

from adapters.kit.desk.request_file import RequestFile
from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Form, Planned
from adapters.la.console.form import load_form
from deploy.demo.agencies import AGENCIES, COUNCIL, MANAGER, DemoUser
from deploy.demo.area import FORM, Area, make_homes, topology_of
from deploy.demo.scenario import STEPS, Ashgrove
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.content.response import Judgement
from tests.support.canary import MARK, Canaries, leaks_in, strings_in
from tests.support.hubs import HubFactory

START = STEPS[0][0]
HOUSING = "testford-housing"
# A canary in a name makes every match doubtful, so somebody there has to be able to confirm identities.
LEAD = DemoUser("Housing safeguarding lead", "Housing lead", ("housing_safeguarding_lead", "identity_checker"))
TWO = [
    replace(agency, users={"housing-lead": LEAD}) if agency.participant == HOUSING else agency
    for agency in AGENCIES
    if agency.participant in (COUNCIL, HOUSING)
]

pytestmark = [pytest.mark.xdist_group("rabbitmq"), pytest.mark.timeout(300)]


def _form_full_of_canaries(canaries: Canaries) -> Form:
    """The scenario's form with a canary in every free-text field."""
    form = load_form(FORM)
    persons = {
        key: person.model_copy(
            update={
                "name": f"{person.name} {canaries.new(f'{key}.name')}",
                "aliases": (canaries.new(f"{key}.alias"),),
                "relationship": canaries.new(f"{key}.relationship"),
                "address": f"{person.address} {canaries.new(f'{key}.address')}",
            }
        )
        for key, person in form.persons.items()
    }
    consent = form.consent.model_copy(
        update={
            name: group.model_copy(update={"explanation": f"{group.explanation} {canaries.new(name)}"})
            for name, group in (
                ("children", form.consent.children),
                ("parents", form.consent.parents),
                ("other_contacts", form.consent.other_contacts),
            )
        }
    )
    requester = form.requester.model_copy(
        update={name: canaries.new(f"requester.{name}") for name in type(form.requester).model_fields}
    )
    return form.model_copy(
        update={
            "reason": canaries.new("reason"),
            "previous_enquiries": canaries.new("previous_enquiries"),
            "persons": persons,
            "consent": consent,
            "requester": requester,
        }
    )


def _canaries_into_records(folder: Path, canaries: Canaries) -> None:
    """Put a canary into the text and the prepared wording of every record of the agency."""
    path = folder / "records.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("text", "summary"):
            if row[column]:
                row[column] = f"{row[column]} {canaries.new(column)}"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


async def _ask_and_answer(area: Area, canaries: Canaries) -> tuple[RequestFile, Collation]:
    run = Ashgrove(area, tell=lambda _when, _said: None)
    coordinator = area.console.coordinator
    await coordinator.new("ENQ-2026-000431", _form_full_of_canaries(canaries), user=MANAGER)
    planned = Planned(
        participant=HOUSING,
        rationale=canaries.new("rationale"),
        belief_of_involvement=canaries.new("belief"),
        public_task_statement=True,
    )
    await coordinator.choose("ENQ-2026-000431", planned, user=MANAGER)
    await coordinator.rate("ENQ-2026-000431", "AMBER", canaries.new("rating"), user=MANAGER)
    await coordinator.issue("ENQ-2026-000431", user=MANAGER)
    await area.settle()
    await run.answer(HOUSING, level="3", best_placed=canaries.new("best_placed"), analysis=canaries.new("analysis"))
    await area.settle()
    (file,) = await area.adapters[HOUSING].desk.list()
    return file, await run.collation()


async def test_a_canary_in_every_field_is_found_only_in_the_recipients_store(
    tmp_path: Path,
    hub_factory: HubFactory,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Design, "Never" 1: nothing inside an envelope is anywhere outside it, over either hub."""
    caplog.set_level(logging.DEBUG)
    canaries = Canaries()
    directory = make_homes(tmp_path / "homes", hub="embedded:hub.db", now=START, agencies=TWO)
    _canaries_into_records(tmp_path / "homes" / HOUSING / "records", canaries)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_factory(topology_of(directory)))
        area = await stack.enter_async_context(Area.opened(tmp_path / "homes", directory, hub, start=START))
        file, collation = await _ask_and_answer(area, canaries)
        assert leaks_in(tmp_path, except_below=frozenset({"records"})) == []
        assert _leaks_in_rabbitmq(request) == []
    assert leaks_in(tmp_path, except_below=frozenset({"records"})) == []

    received = " ".join(strings_in(file.rfi))
    asked = [
        made for made in canaries.made if not made.endswith(("text", "summary", "rating", "best_placed", "analysis"))
    ]
    unborn = [made for made in asked if "unborn" in made]
    assert [made for made in asked if made not in received] == unborn
    assert sum(MARK in text for text in strings_in(collation)) >= 5

    printed = capfd.readouterr()
    assert MARK not in printed.out + printed.err
    assert MARK not in caplog.text
    assert MARK.encode() not in generate_latest(REGISTRY)


def _leaks_in_rabbitmq(request: pytest.FixtureRequest) -> list[str]:
    """Search everything that the RabbitMQ of this test has written: queues, logs, its database."""
    if "rabbitmq" not in request.node.callspec.id:
        return []
    server: LocalRabbitMQ = request.getfixturevalue("rabbitmq")
    return leaks_in(server.folder, except_below=frozenset()) if server.folder else []


async def test_the_search_for_canaries_finds_one_that_is_there(tmp_path: Path) -> None:
    """The guard itself: a file with a canary in clear is found, in either encoding."""
    (tmp_path / "leak.log").write_text(f"a line with {MARK}-000-name in it")
    (tmp_path / "wide.db").write_bytes(f"{MARK}-001".encode("utf-16-le"))
    (tmp_path / "clean.db").write_bytes(b"nothing")
    assert leaks_in(tmp_path, except_below=frozenset()) == ["leak.log", "wide.db"]


def test_judgement_is_content_that_hides_itself_in_errors() -> None:
    """A refused value is not repeated in the error's text."""
    with pytest.raises(ValueError, match="level_of_need") as refused:
        Judgement.from_plain({"level_of_need": f"{MARK}-9", "best_placed": "x", "analysis": "y"})
    assert MARK not in str(refused.value)
