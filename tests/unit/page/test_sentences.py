"""Every alert in words, and no word that an alert did not bring."""

import pytest

from broker.alerts import Alert, AlertKind, Urgency
from broker.page.sentences import SENTENCES, gravity, sentence, spoken


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_of_alert_can_be_said(kind: AlertKind) -> None:
    """What is the matter and what to do, with nothing left open."""
    said = sentence(Alert(kind, "testford-police", Urgency.NOW, code="RED", count=3), peer="Testford Health")
    assert said.what
    assert said.act
    assert "{" not in f"{said}"


def test_every_kind_of_alert_has_a_sentence_of_its_own() -> None:
    """Structure: at three in the morning nobody looks a code up."""
    assert [kind.value for kind in AlertKind if kind not in SENTENCES] == []


def test_whoever_waits_for_an_answer_is_a_graver_matter_than_paper() -> None:
    """The table's order is that of gravity."""
    order = [AlertKind.NOBODY_READING, AlertKind.UNDELIVERED, AlertKind.BREACHED, AlertKind.UNREAD, AlertKind.AGREEMENT]
    ranks = [gravity(Alert(kind, "testford-police", Urgency.NOW)) for kind in order]
    assert ranks == sorted(ranks)


def test_a_code_with_braces_is_shown_as_it_is() -> None:
    """The attack: a code that would be filled in as a format of its own."""
    said = sentence(Alert(AlertKind.DIRECTORY, "hub", Urgency.NOW, code="{peer.__class__}"), peer="")
    assert "{peer.__class__}" in said.what


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("signing_key", "Signing key"),
        ("sealing_key:decision_maker", "Sealing key (decision maker)"),
        ("breach_alert.24h", "Data breach, time since it was known (24h)"),
        ("E09", "E09"),
    ],
)
def test_a_code_is_said_in_words_where_there_are_any(code: str, expected: str) -> None:
    """And as it is where there are none."""
    assert spoken(code) == expected
