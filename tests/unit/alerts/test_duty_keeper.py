"""The duty file is read again when it changes; the last good one stays in use while the new one is not understood."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from broker.alerts.desks import Way
from broker.alerts.duty_file import DutyFileUnreadable
from broker.alerts.duty_keeper import DutyKeeper
from broker.alerts.kinds import HUB, AlertKind, Urgency
from broker.alerts.opening import arranged
from broker.alerts.secrets import Secrets
from broker.alerts.troubles import of_duty_file
from broker.calendars import Calendars
from tests.unit.alerts.test_duty_file import GOOD

SECRETS = Secrets(environment={"MASH_SECRET_NOTIFY_KEY": "key", "MASH_SECRET_WEBHOOK_CONTROL_ROOM": "f" * 32})
LEAVE = "leave = [{ first = 2026-12-21, last = 2026-12-24 }]"


def keeper(folder: Path, *, secrets: Secrets = SECRETS) -> DutyKeeper:
    path = folder / "duty.toml"
    path.write_text(GOOD)
    clock = partial(datetime, 2026, 11, 24, tzinfo=UTC)
    return DutyKeeper(path, partial(arranged, path=path, calendars=Calendars(), clock=clock, secrets=secrets))


def write(folder: Path, text: str) -> None:
    (folder / "duty.toml").write_text(text)


def test_a_file_that_has_not_changed_is_not_made_anew(tmp_path: Path) -> None:
    """Nor one that was only touched: what counts is what it says."""
    kept = keeper(tmp_path)
    kept.read()
    write(tmp_path, GOOD)
    assert (kept.look(), kept.fault) == (None, "")


def test_a_changed_rota_is_taken_up_and_the_servers_carriers_are_kept(tmp_path: Path) -> None:
    """Somebody goes on leave tomorrow; nobody restarts the watch for it, and no connection is made anew."""
    kept = keeper(tmp_path)
    before = kept.read()
    write(tmp_path, GOOD.replace(LEAVE, "leave = [{ first = 2026-11-24, last = 2026-11-24 }]"))
    after = kept.look()
    assert after is not None
    assert after.duty.desk("testford-police").posts[0].leave != before.duty.desk("testford-police").posts[0].leave
    assert (after.carriers is before.carriers, kept.look()) == (True, None)


def test_a_changed_server_has_a_carrier_of_its_own(tmp_path: Path) -> None:
    """Mail goes by the new server from then on."""
    kept = keeper(tmp_path)
    before = kept.read()
    write(tmp_path, GOOD.replace("mail.example.org", "mail2.example.org"))
    after = kept.look()
    assert after is not None
    assert after.carriers[Way.MAIL] is not before.carriers[Way.MAIL]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("round_the_clock", "round_the_block"), "refused"),
        (GOOD + "[desks", "refused"),
        ("", "refused"),
        (GOOD.replace("control-room", "other-room"), "secret"),
        (None, "unreadable"),
        ("\udcff", "refused"),
    ],
    ids=["a-misspelt-word", "half-written", "empty", "a-webhook-without-a-secret", "gone", "not-utf-8"],
)
def test_a_bad_new_file_is_refused_once_in_the_log_and_the_last_good_one_stays(
    tmp_path: Path, text: str | None, fault: str
) -> None:
    """Whoever saves half a file at night must not leave every desk without alerts."""
    kept = keeper(tmp_path)
    first = kept.read()
    if text is None:
        (tmp_path / "duty.toml").unlink()
    else:
        (tmp_path / "duty.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with capture_logs() as written:
        assert [kept.look(), kept.look()] == [None, None]
    assert (kept.fault, kept.arranged is first) == (fault, True)
    assert [(line["log_level"], line["code"]) for line in written] == [("error", fault)]


def test_a_good_file_ends_the_refusal_also_when_it_is_the_old_one_again(tmp_path: Path) -> None:
    """Putting the old file back is the first thing that anybody tries."""
    kept = keeper(tmp_path)
    kept.read()
    write(tmp_path, "nonsense")
    kept.look()
    write(tmp_path, GOOD)
    assert (kept.look() is not None, kept.fault) == (True, "")


def test_at_the_start_a_bad_file_is_no_fault_to_live_with(tmp_path: Path) -> None:
    """There is no last good one: the watch does not start."""
    kept = keeper(tmp_path)
    write(tmp_path, "nonsense")
    with pytest.raises(DutyFileUnreadable):
        kept.read()
    (tmp_path / "duty.toml").unlink()
    with pytest.raises(DutyFileUnreadable, match="FileNotFoundError"):
        kept.read()


def test_a_refused_file_is_a_trouble_of_the_hubs_own_desk() -> None:
    """Told like any other alert, by the last good file."""
    trouble = of_duty_file("refused")
    assert (trouble.kind, trouble.desk, trouble.urgency) == (AlertKind.DUTY_FILE, HUB, Urgency.TODAY)
