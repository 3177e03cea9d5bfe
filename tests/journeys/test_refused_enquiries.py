"""Enquiries that may not go: refused at a real console, with every reason, and nothing of them anywhere afterwards.

The list is the issue's: without a subject child, due in the past, without consent and without an explanation, claiming
section 47 without a decision, to an agency that is no active signatory, to a body that is not public without our task.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.refusal import Refused
from adapters.la.console.enquiry import Form, Planned
from adapters.la.console.form import load_form
from broker.embedded import EmbeddedHub
from deploy.demo.agencies import AGENCIES, COUNCIL, MANAGER
from deploy.demo.area import FORM, Area, make_homes, topology_of
from deploy.demo.scenario import STEPS
from schemas.content.rfi import ConsentGroup
from tests.integration.commands.office import kept

START = STEPS[0][0]
IDVA = "testford-idva"
TWO = [agency for agency in AGENCIES if agency.participant in (COUNCIL, IDVA)]
REFUSED = ConsentGroup(status="refused")
WHOLE = Planned(participant=IDVA, rationale="indicators of domestic abuse", public_task_statement=True)
UNSTATED = WHOLE.model_copy(update={"public_task_statement": False})


def _form(**changes: object) -> Form:
    return load_form(FORM).model_copy(update=changes)


def _childless() -> Form:
    return _form(persons={key: one for key, one in _form().persons.items() if not one.is_child})


def _unexplained() -> Form:
    return _form(consent=_form().consent.model_copy(update={"parents": REFUSED}))


ENQUIRIES: dict[str, tuple[Form, Planned, timedelta | None, str]] = {
    "no subject child": (_childless(), WHOLE, None, "RFI-05"),
    "due in the past": (_form(), WHOLE, -timedelta(minutes=1), "RFI-02"),
    "consent refused without an explanation": (_unexplained(), WHOLE, None, "RFI-12"),
    "section 47 without a decision": (_form(stage="s47"), WHOLE, None, "RFI-07"),
    "listed and never signed": (_form(), WHOLE.model_copy(update={"participant": "testford-charity"}), None, "GOV-01"),
    "no public body, no public task": (_form(), UNSTATED, None, "RFI-17"),
}


@pytest.fixture
async def area(tmp_path: Path) -> AsyncIterator[Area]:
    """The council and one charity over the embedded hub."""
    directory = make_homes(tmp_path, hub="embedded:hub.db", now=START, agencies=TWO)
    async with (
        EmbeddedHub(topology_of(directory)) as hub,
        Area.opened(tmp_path, directory, hub, start=START) as opened,
    ):
        yield opened


async def test_each_enquiry_that_may_not_go_is_refused_for_its_reason_and_leaves_nothing(area: Area) -> None:
    """One after the other at one console, so that none of them may prepare the ground for the next."""
    coordinator, council = area.console.coordinator, area.adapters[COUNCIL]
    for number, (form, plan, due, requirement) in enumerate(ENQUIRIES.values()):
        reference = f"ENQ-{number}"
        await coordinator.new(reference, form, user=MANAGER)
        await coordinator.choose(reference, plan, user=MANAGER)
        await coordinator.rate(reference, "AMBER", "as reported", user=MANAGER)
        before = await kept(council)

        with pytest.raises(Refused) as refused:
            await coordinator.issue(reference, user=MANAGER, due_at=area.time + due if due else None)
        assert any(reason.startswith(requirement) for reason in refused.value.reasons), refused.value.reasons
        assert await kept(council) == before
    await area.settle()
    assert await area.adapters[IDVA].desk.list() == ()


async def test_an_enquiry_with_everything_wrong_is_refused_with_everything_that_is_wrong(area: Area) -> None:
    """A coordinator mends it in one go."""
    coordinator = area.console.coordinator
    form = _childless().model_copy(update={"stage": "s47", "consent": _unexplained().consent})
    await coordinator.new("ENQ-9", form, user=MANAGER)
    await coordinator.choose("ENQ-9", UNSTATED, user=MANAGER)
    await coordinator.choose("ENQ-9", Planned(participant="testford-charity", rationale="toys"), user=MANAGER)
    await coordinator.rate("ENQ-9", "AMBER", "as reported", user=MANAGER)

    with pytest.raises(Refused) as refused:
        await coordinator.issue("ENQ-9", user=MANAGER, due_at=area.time - timedelta(hours=1))
    found = {reason.split()[0] for reason in refused.value.reasons}
    assert found >= {requirement for *_, requirement in ENQUIRIES.values()}


async def test_the_same_enquiry_goes_once_it_is_mended(area: Area) -> None:
    """The refusal is about what was missing, and about nothing else."""
    coordinator = area.console.coordinator
    await coordinator.new("ENQ-1", _childless(), user=MANAGER)
    await coordinator.choose("ENQ-1", WHOLE, user=MANAGER)
    await coordinator.rate("ENQ-1", "AMBER", "as reported", user=MANAGER)
    with pytest.raises(Refused):
        await coordinator.issue("ENQ-1", user=MANAGER)

    await coordinator.amend("ENQ-1", _form(), user=MANAGER)
    await coordinator.issue("ENQ-1", user=MANAGER)
    await area.settle()
    assert len(await area.adapters[IDVA].desk.list()) == 1
