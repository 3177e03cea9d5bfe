"""Alerts: what somebody has to be told, and how it reaches a human being who says that it has.

`kinds` are the words, `rules` decide what should stand, `book` writes what stands, `log` says it in the log.
`desks` are who is there (`duty_file` reads them), `escalation` decides who is told now, `tellings` and `claiming` keep
that as rows, `courier` carries them by `mail`, `notify` and `webhook`, `acknowledging` ends it, `listing` shows it.
What is wrong with telling people is found by `troubles` and `canary` and is an alert itself (`desk_rules`).
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
