"""Desks for tests: a police desk with every rung, posts and routes that speak for themselves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from broker.alerts.desks import Desk, Duty, Post, Route, Way
from broker.alerts.kinds import HUB
from broker.calendar import LONDON, MASH_CALENDAR, WorkingCalendar
from broker.sla import Contact

POLICE, HEALTH = "testford-police", "testford-health"
MAIL = Route(Way.MAIL, "duty@police.example.org")
TEXT = Route(Way.NOTIFY_TEXT, "07700 900123")
CONTROL_ROOM = Route(Way.WEBHOOK, "control-room")
OFFICER = Post("officer", Contact.CONTACT_OFFICER, (MAIL,))
DEPUTY = Post("deputy", Contact.DEPUTY, (MAIL, TEXT))
SPOC = Post("sharing-lead", Contact.SPOC, (MAIL,))
LEAD = Post("safeguarding-lead", Contact.AGENCY_LEAD, (TEXT,))
POSTS = (OFFICER, DEPUTY, SPOC, LEAD)
HUB_DESK = Desk(HUB, (Post("operator", Contact.CONTACT_OFFICER, (MAIL,), round_the_clock=True),), MASH_CALENDAR)


def local(text: str) -> datetime:
    """A moment by the clock on the wall in London."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


MONDAY = local("2026-11-23T10:00")
NIGHT = local("2026-11-23T22:00")


def desk(*posts: Post, calendar: WorkingCalendar = MASH_CALENDAR, **changes: Any) -> Desk:
    """The police's desk."""
    return replace(Desk(POLICE, posts or POSTS, calendar, (CONTROL_ROOM,)), **changes)


def duty(*desks: Desk, **changes: Any) -> Duty:
    """The desks given, and the hub's."""
    named: Mapping[str, Desk] = {one.name: one for one in (HUB_DESK, *(desks or (desk(),)))}
    return replace(Duty(named, telephone="01632 960000"), **changes)
