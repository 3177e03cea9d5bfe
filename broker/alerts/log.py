"""Alerts as lines of the structured log: kinds, participants, references and ratings, and never a telephone number.

The keys go through the allow-list of `broker.logs`; the number to ring is in the book of alerts, for people who look.
"""

import structlog

from broker.alerts.book import Entry


async def log_alert(entry: Entry) -> None:
    """Write one line when an alert is raised and one when it is over."""
    alert = entry.alert
    log = structlog.get_logger()
    say = log.info if entry.cleared_at else log.warning
    say(
        "alert over" if entry.cleared_at else "alert",
        kind=alert.kind.value,
        participant=alert.participant,
        peer=alert.peer,
        reference=alert.reference,
        code=alert.code,
        state=alert.urgency.value,
        count=alert.count,
    )
