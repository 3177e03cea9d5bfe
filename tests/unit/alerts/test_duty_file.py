"""The duty file: what it says is understood wholly or refused with the place and what to do."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broker.alerts.desks import Route, Way
from broker.alerts.duty_file import DutyFile, DutyFileUnreadable, read_duty_file
from broker.alerts.kinds import HUB, Urgency
from broker.calendar import MASH_CALENDAR, Span
from broker.calendars import Calendars, read_calendars
from broker.sla import Contact, elapsed, working_days

GOOD = """
[page]
link = "https://hub.example.org/ops/"
[patience]
now = "20 minutes"
[mail]
host = "mail.example.org"
sender = "mash-alerts@hub.example.org"
[notify]
email_template = "11111111-2222-3333-4444-555555555555"
text_template = "11111111-2222-3333-4444-666666666666"
[webhooks.control-room]
url = "https://control.example.org/mash"
[hub]
telephone = "01632 960000"
[[hub.posts]]
post = "operator"
rung = "contact_officer"
ways = ["mail:ops@hub.example.org", "page"]
round_the_clock = true
[desks.testford-police]
out_of_hours = ["webhook:control-room", "notify_text:07700 900199"]
[[desks.testford-police.posts]]
post = "duty-sergeant"
rung = "contact_officer"
ways = ["mail:duty@police.example.org", "notify_email:duty@police.example.org", "notify_text:07700900123"]
leave = [{ first = 2026-12-21, last = 2026-12-24 }]
"""


def read(text: str, folder: Path, calendars: Calendars | None = None) -> DutyFile:
    path = folder / "duty.toml"
    path.write_text(text)
    return read_duty_file(path, calendars=calendars or Calendars())


def test_a_duty_file_gives_desks_with_their_agencys_calendar(tmp_path: Path) -> None:
    """Desks, posts by rung, ways, leave, hours, the out-of-hours route, patience."""
    calendars = read_calendars({"agencies": {"testford-police": {"pattern": "round_the_clock"}}})
    found = read(GOOD, tmp_path, calendars)
    desk = found.duty.desk("testford-police")
    (post,) = desk.posts
    assert desk.calendar is calendars.of("testford-police")
    assert (post.name, post.rung) == ("duty-sergeant", Contact.CONTACT_OFFICER)
    assert post.routes[2] == Route(Way.NOTIFY_TEXT, "07700900123")
    assert post.leave == (Span(date(2026, 12, 21), date(2026, 12, 24)),)
    assert desk.out_of_hours == (Route(Way.WEBHOOK, "control-room"), Route(Way.NOTIFY_TEXT, "07700 900199"))
    assert (found.duty.hub.name, found.duty.hub.calendar, found.duty.telephone) == (HUB, MASH_CALENDAR, "01632 960000")
    assert found.duty.patience[Urgency.NOW] == elapsed(minutes=20)
    assert found.duty.patience[Urgency.WEEK] == working_days(1)
    assert found.settings.page.link == "https://hub.example.org/ops"
    assert desk.calendar.zone == ZoneInfo("Europe/London")


WRONG = {
    "a word that is not known": ("[mail]", "[mails]\nx = 1\n[mail]", "mails: Extra inputs are not permitted"),
    "a way that is not known": ('"page"', '"fax:01632 960111"', "hub.posts.0.ways.1: write mail:ADDRESS"),
    "an address that is none": ("mail:duty@", "mail:Tilly@@", "desks.testford-police.posts.0.ways.0: write mail with"),
    "a number that is none": ("07700900123", "Tilly", "ways.2: write notify_text with a mobile number"),
    "a line break in an address": ("mail:ops@hub", "mail:ops@hub\\nBcc: x@y", "ways.0: write mail with a mail address"),
    "a rung that is not on the ladder": (
        'rung = "contact_officer"',
        'rung = "Tilly"',
        "rung: write contact_officer, deputy",
    ),
    "the coordinator as a rung": ('rung = "contact_officer"', 'rung = "coordinator"', "write contact_officer, deputy"),
    "a leave that ends before it begins": ("2026-12-24", "2026-12-20", "leave.0: a span ends on or after"),
    "a post without ways": ('ways = ["mail:ops@hub.example.org", "page"]', "ways = []", "hub.posts.0.ways"),
    "a webhook that is not described": ("[webhooks.control-room]", "[webhooks.other]", "write [webhooks.control-room]"),
    "an open webhook": ("https://control", "http://control", "webhooks.control-room.url: write https://"),
    "an open link": ("https://hub", "http://hub", "page.link: write https://"),
    "a link with a password": ("https://hub", "https://a:b@hub", "page.link: write an address like"),
    "mail in the open": ("[mail]", '[mail]\ntls = "none"', 'mail: write tls = "starttls"'),
    "a wait without end": ("[mail]", "[mail]\ntimeout = 100000", "mail.timeout"),
    "a patience that is none": ("20 minutes", "a while", "patience.now: an allowance reads like"),
    "a desk of nobody": ("[desks.testford-police]", "[desks.hub]", "write the hub's own desk as [hub]"),
    "two posts of one name": (
        "[desks.testford-police]",
        '[[hub.posts]]\npost = "operator"\nrung = "spoc"\nways = ["page"]\n[desks.testford-police]',
        "hub: give every post of a desk a name of its own",
    ),
    "a hub without a desk": ("[[hub.posts]]", "[[desks.testford-la.posts]]", "hub.posts: Field required"),
    "no TOML": ("[mail]", "[mail\n", "not TOML, line 6"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_duty_file_that_is_wrong_names_the_file_the_place_and_what_to_do(tmp_path: Path, fault: str) -> None:
    """Whoever corrects it at night finds the place; what was typed is not repeated."""
    old, new, said = WRONG[fault]
    assert old in GOOD
    with pytest.raises(DutyFileUnreadable) as refused:
        read(GOOD.replace(old, new), tmp_path)
    assert said in str(refused.value)
    assert "duty.toml" in str(refused.value)
    assert "Tilly" not in str(refused.value)


@pytest.mark.parametrize("table", ["mail", "notify"])
def test_a_way_that_nothing_is_set_up_for_is_refused(tmp_path: Path, table: str) -> None:
    """Else it would be found out by the first urgent alert."""
    start = GOOD.index(f"[{table}]")
    end = GOOD.index("[", start + 1)
    with pytest.raises(DutyFileUnreadable, match=rf"write a \[{table}\] table"):
        read(GOOD[:start] + GOOD[end:], tmp_path)


def test_a_duty_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The operator reads the path."""
    with pytest.raises(DutyFileUnreadable, match=r"nowhere\.toml: FileNotFoundError"):
        read_duty_file(tmp_path / "nowhere.toml", calendars=Calendars())


def test_addresses_and_numbers_are_in_no_repr(tmp_path: Path) -> None:
    """A traceback shows posts, not people."""
    shown = repr(read(GOOD, tmp_path).duty)
    assert "duty-sergeant" in shown
    for secret in ("duty@police", "07700", "ops@hub"):
        assert secret not in shown
