"""Alerts: what somebody has to be told, and how it reaches a human being who says that it has.

`kinds` are the words, `rules` decide what should stand, `book` writes what stands, `log` says it in the log.
"""

from broker.alerts.kinds import HUB, SILENT_AFTER, Alert, AlertKind, Health, HubFigures, Urgency, View, news

__all__ = [
    "HUB",
    "SILENT_AFTER",
    "Alert",
    "AlertKind",
    "Health",
    "HubFigures",
    "Urgency",
    "View",
    "news",
]
