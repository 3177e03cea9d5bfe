"""What leaves the hub when somebody is told: four fields, and no way to put anything else in."""

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from broker.alerts.kinds import Alert, AlertKind, Urgency
from broker.alerts.notice import Notice, NoticeUnfit, reference_of, telephone_of

NAME = "Tilly Ashgrove-Test"
LINK = "https://hub.example.org/a/" + "x" * 40
NOTICE = Notice("ABCDE-FGHIJ", Urgency.NOW, LINK, "01632 960000")


def test_a_notice_has_four_fields_and_no_fifth() -> None:
    """Content-free by construction: reference, urgency, link, telephone number."""
    assert [field.name for field in fields(Notice)] == ["reference", "urgency", "link", "telephone"]
    assert list(NOTICE.plain()) == ["reference", "urgency", "link", "telephone"]


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": NAME},
        {"reference": "TILLY-ASHGROVE"},
        {"reference": "TILLY ASHG"},
        {"reference": "ABCDE-FGHIJ\nTilly"},
        {"reference": "A-"},
        {"reference": "A-9990000018123"},
        {"urgency": NAME},
        {"urgency": "now"},
        {"link": f"https://hub.example.org/{NAME}"},
        {"link": f"{LINK}?name=Tilly"},
        {"link": f"{LINK}#Tilly"},
        {"link": "https://Tilly:Ashgrove@hub.example.org/a/" + "x" * 40},
        {"link": "javascript:alert(1)"},
        {"telephone": NAME},
        {"telephone": "01632 960000 Tilly"},
        {"telephone": "01632 960000\nBcc: press@example.org"},
        {"telephone": None},
    ],
)
def test_a_name_is_in_no_field_of_a_notice(changes: dict[str, Any]) -> None:
    """Attack: smuggle a child's name or number out through any of the four."""
    with pytest.raises(NoticeUnfit) as refused:
        replace(NOTICE, **changes)
    assert "Tilly" not in str(refused.value)


def test_nothing_can_be_added_to_a_notice_afterwards() -> None:
    """Frozen, and without a field to add to."""
    with pytest.raises(FrozenInstanceError):
        NOTICE.reference = NAME  # type: ignore[misc]  # the attack
    with pytest.raises(TypeError):
        Notice("ABCDE-FGHIJ", Urgency.NOW, LINK, "", NAME)  # type: ignore[call-arg]  # the attack


def test_the_words_of_a_mail_are_fixed_but_for_the_four_fields() -> None:
    """Two notices differ where their fields differ and nowhere else."""
    other = Notice("A-17", Urgency.NOW, LINK.replace("x", "y"), "01632 960111")
    changed = NOTICE.text
    for ours, theirs in zip(NOTICE.plain().values(), other.plain().values(), strict=True):
        changed = changed.replace(ours, theirs)
    assert changed == other.text


@pytest.mark.parametrize("urgency", Urgency)
def test_every_urgency_has_words(urgency: Urgency) -> None:
    """Structure: a new urgency without a headline would break at night."""
    assert replace(NOTICE, urgency=urgency).headline.startswith("MASH alert, act ")


def test_an_alert_without_a_reference_or_with_an_odd_one_is_spoken_of_by_its_number() -> None:
    """What is no reference stays in the hub."""
    for reference in ("", NAME):
        assert reference_of(Alert(AlertKind.SILENT, "testford-la", Urgency.TODAY, reference=reference), 17) == "A-17"


def test_a_telephone_number_that_holds_words_is_passed_over() -> None:
    """The directory's field is free text of the agency."""
    assert telephone_of("Tilly 01632 960110", "", "01632 960000") == "01632 960000"
    assert telephone_of("ring Tilly") == ""
