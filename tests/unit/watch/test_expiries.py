"""What comes to an end, how near it is, and who is told."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from broker.agreements import NO_AGREEMENTS, Agreements, AgreementsUnreadable, read_agreements
from broker.alerts import HUB, AlertKind, Urgency, View
from broker.alerts.endings import endings as alerts_on
from broker.calendar import LONDON
from broker.calendars import Calendars
from broker.expiries import Ending, EndingKind, Nearness, endings, nearness
from schemas.directory import Directory, Revocation
from tests.support.parties import NOW
from tests.unit.watch.traffic import HEALTH, LA, POLICE, TELEPHONES, directory

DAY = timedelta(days=1)


def all_at(now: datetime, *, where: Directory | None = None, held: Agreements = NO_AGREEMENTS) -> tuple[Ending, ...]:
    return endings(where or directory(), agreements=held, metadata={}, now=now)


def view_at(now: datetime, **changes: object) -> View:
    plain = View(now=now, began_at=NOW, directory=directory(), calendars=Calendars())
    return replace(plain, **changes)  # type: ignore[arg-type]  # the test names fields of the view


def end_of_signing(name: str) -> datetime:
    (found,) = [one for one in all_at(NOW) if (one.kind, one.whose) == (EndingKind.SIGNING_KEY, name)]
    assert found.at is not None
    return found.at


def test_every_member_has_its_keys_counted_down() -> None:
    """One signing key and one sealing key a role, for each of the three."""
    found = all_at(NOW)
    assert {one.whose for one in found if one.kind is EndingKind.SIGNING_KEY} == {LA, POLICE, HEALTH}
    roles = {role.name for role in directory().records[LA].roles}
    assert {one.what for one in found if one.kind is EndingKind.SEALING_KEY and one.whose == LA} == roles
    assert {one.nearness for one in found} == {Nearness.FAR}


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(seconds=0), Nearness.OVER),
        (timedelta(seconds=1), Nearness.TODAY),
        (3 * DAY, Nearness.TODAY),
        (3 * DAY + timedelta(seconds=1), Nearness.WEEK),
        (10 * DAY, Nearness.WEEK),
        (10 * DAY + timedelta(seconds=1), Nearness.FAR),
    ],
)
def test_a_signing_key_comes_nearer_in_steps(left: timedelta, expected: Nearness) -> None:
    """Each boundary to the second."""
    assert nearness(EndingKind.SIGNING_KEY, "", NOW + left, NOW) is expected


def test_the_hubs_timestamp_is_watched_by_hours_and_its_root_by_weeks() -> None:
    """The timestamp lives for two days; without it nobody sends."""
    kind, soon = EndingKind.DIRECTORY, NOW + timedelta(hours=20)
    assert nearness(kind, "timestamp", soon, NOW) is Nearness.WEEK
    assert nearness(kind, "root", soon, NOW) is Nearness.TODAY
    assert nearness(kind, "timestamp", NOW + timedelta(hours=30), NOW) is Nearness.FAR


def test_a_revoked_key_without_successor_has_ended() -> None:
    """Absent means no: nothing of that agency would be accepted."""
    record = directory().records[POLICE]
    gone = tuple(Revocation(key=key.kid, revoked_at=0) for key in record.signing)
    records = [one for name, one in directory().records.items() if name != POLICE]
    where = directory(records=[*records, record.model_copy(update={"revocations": gone})])
    first = all_at(NOW, where=where)[0]
    assert (first.kind, first.whose, first.at, first.nearness) == (
        EndingKind.SIGNING_KEY,
        POLICE,
        None,
        Nearness.OVER,
    )


def test_a_suspended_agency_is_not_chased_for_its_keys() -> None:
    """Nobody can reach it anyway."""
    assert POLICE not in {one.whose for one in all_at(NOW, where=directory(suspended=[POLICE]))}


def test_an_ended_key_is_for_now_and_a_missed_review_for_the_office() -> None:
    """A key that has ended stops traffic at three in the morning; a meeting does not."""
    held = Agreements.from_plain({"agreements": [{"id": "tier-2", "in_force_from": date(2026, 1, 5)}]})
    late = end_of_signing(LA) + timedelta(seconds=1)
    found = {(one.kind, one.participant, one.code): one for one in alerts_on(view_at(late, agreements=held))}
    key = found[AlertKind.KEY_EXPIRY, LA, "signing_key"]
    assert (key.urgency, key.telephone) == (Urgency.NOW, TELEPHONES[LA])
    assert found[AlertKind.AGREEMENT, HUB, "review:tier-2"].urgency is Urgency.TODAY


def test_nothing_is_told_of_what_is_far() -> None:
    """A quiet morning."""
    held = Agreements.from_plain({"agreements": [{"id": "tier-2", "in_force_from": date(2026, 10, 1)}]})
    assert list(alerts_on(view_at(NOW, agreements=held))) == []


@pytest.mark.parametrize(
    ("days", "expected"), [(61, None), (60, Urgency.WEEK), (31, Urgency.WEEK), (30, Urgency.TODAY)]
)
def test_a_review_is_told_sixty_days_before_and_again_thirty_days_before(days: int, expected: Urgency | None) -> None:
    """GOV-08: a warning that is raised rings again; the first alone would be forgotten for two months."""
    held = Agreements.from_plain({"agreements": [{"id": "tier-2", "in_force_from": date(2026, 10, 1)}]})
    (due,) = [one.at for one in all_at(NOW, held=held) if one.kind is EndingKind.REVIEW and one.at]
    found = [one for one in alerts_on(view_at(due - days * DAY, agreements=held)) if one.kind is AlertKind.AGREEMENT]
    assert [one.urgency for one in found] == ([expected] if expected else [])


def test_reviews_notices_and_attestations_fall_on_local_days() -> None:
    """GOV-08, GOV-10, GOV-15, each at the first minute of its day in London, in summer too."""
    held = Agreements.from_plain(
        {
            "agreements": [
                {"id": "tier-2", "in_force_from": date(2025, 1, 1), "last_review": date(2026, 6, 30)},
                {"id": "tier-3", "in_force_from": date(2026, 10, 1), "cycle_months": 24, "ends_on": date(2028, 4, 1)},
            ],
            "notices": [{"participant": HEALTH, "given_on": date(2026, 11, 20)}],
            "attestations": [{"participant": POLICE, "subject": "training", "attested_on": date(2025, 12, 1)}],
        }
    )
    found = [one for one in all_at(NOW, held=held) if one.kind not in (EndingKind.SIGNING_KEY, EndingKind.SEALING_KEY)]
    local = {(one.kind, one.what): one.at.astimezone(LONDON) for one in found if one.at}
    assert {key: at.date() for key, at in local.items()} == {
        (EndingKind.REVIEW, "tier-2"): date(2027, 6, 30),
        (EndingKind.REVIEW, "tier-3"): date(2027, 4, 1),
        (EndingKind.AGREEMENT_END, "tier-3"): date(2028, 4, 1),
        (EndingKind.NOTICE, ""): date(2026, 12, 18),
        (EndingKind.ATTESTATION, "training"): date(2026, 12, 1),
    }
    assert {(at.hour, at.minute) for at in local.values()} == {(0, 0)}
    near = {one.kind: one.nearness for one in found}
    assert near[EndingKind.ATTESTATION] is Nearness.WEEK
    assert near[EndingKind.NOTICE] is Nearness.WEEK


@pytest.mark.parametrize(
    "text",
    [
        "[[agreements]]\nid = 'tier-2'\nin_force_from = 2026-01-05\nreview = 2027-01-05\n",
        "[[agreements]]\nid = 'Tilly Ashgrove-Test'\nin_force_from = 2026-01-05\n",
        "[[notices]]\nparticipant = 'testford-police'\n",
        "not TOML",
    ],
)
def test_a_file_that_is_not_understood_starts_nothing(tmp_path: Path, text: str) -> None:
    """The attack: a misspelt date is a review that nobody holds; and no value of the file is shown."""
    path = tmp_path / "agreements.toml"
    path.write_text(text)
    with pytest.raises(AgreementsUnreadable) as refused:
        read_agreements(path)
    assert "Ashgrove" not in str(refused.value)


def test_no_file_is_no_agreement(tmp_path: Path) -> None:
    """And an empty one is valid."""
    empty = tmp_path / "agreements.toml"
    empty.write_text("")
    assert read_agreements(None) == read_agreements(empty) == NO_AGREEMENTS
