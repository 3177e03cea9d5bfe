"""Moments of the scenario, written as a person in Testford would write them."""

from datetime import datetime

from broker.calendar import LONDON


def local(text: str) -> datetime:
    """Read `2026-11-24 10:12` as a wall clock in London."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def shown(moment: datetime) -> str:
    """Write a moment as the wall clock in London shows it."""
    return moment.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")
