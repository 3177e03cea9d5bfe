"""Alerts on what comes to an end: keys and certificates that nobody renewed, reviews, notices (SLA-12, GOV-08)."""

from collections.abc import Iterator, Mapping
from typing import Final

from broker.alerts.kinds import HUB, Alert, AlertKind, Urgency, View
from broker.expiries import HUB_OWN, STOPS_TRAFFIC, EndingKind, Nearness

KINDS: Final[Mapping[EndingKind, AlertKind]] = {
    EndingKind.SIGNING_KEY: AlertKind.KEY_EXPIRY,
    EndingKind.SEALING_KEY: AlertKind.KEY_EXPIRY,
    EndingKind.CERTIFICATE: AlertKind.KEY_EXPIRY,
    EndingKind.DIRECTORY: AlertKind.KEY_EXPIRY,
    EndingKind.REVIEW: AlertKind.AGREEMENT,
    EndingKind.AGREEMENT_END: AlertKind.AGREEMENT,
    EndingKind.NOTICE: AlertKind.AGREEMENT,
    EndingKind.ATTESTATION: AlertKind.AGREEMENT,
}
_LONGEST_CODE: Final = 40


def endings(view: View) -> Iterator[Alert]:
    """Alert on every ending that is near; what has ended and stops traffic is for now, not for the office."""
    for one in view.endings():
        if one.nearness is Nearness.FAR:
            continue
        over = Urgency.NOW if one.kind in STOPS_TRAFFIC else Urgency.TODAY
        urgency = {Nearness.WEEK: Urgency.WEEK, Nearness.TODAY: Urgency.TODAY, Nearness.OVER: over}[one.nearness]
        yield Alert(
            KINDS[one.kind],
            HUB if one.whose == HUB_OWN else one.whose,
            urgency,
            code=f"{one.kind}:{one.what}"[:_LONGEST_CODE].rstrip(":"),
            telephone=view.telephone(one.whose),
        )
