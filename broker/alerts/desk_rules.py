"""Alerts about telling people: what is wrong with a way, a desk or a rota is told to whoever runs the hub (GOV-05).

Each trouble is an alert of its own at the hub's desk, with the agency's desk as the other end; a member without a duty
desk is an alert about that member.
"""

from collections.abc import Iterator

from broker.alerts.kinds import HUB, Alert, AlertKind, Urgency, View


def troubles(view: View) -> Iterator[Alert]:
    """Alert on ways that fail, on nobody to tell, and on what nobody acknowledged."""
    for one in view.troubles:
        yield Alert(
            one.kind,
            HUB,
            one.urgency,
            peer=one.desk,
            reference=one.reference,
            code=one.code,
            telephone=view.telephone(one.desk),
        )


def undesked(view: View) -> Iterator[Alert]:
    """Alert on members without a duty desk, where there is a duty file at all."""
    if view.desks is None:
        return
    for name in view.members():
        if name not in view.desks:
            yield Alert(AlertKind.NO_DUTY_CONTACT, name, Urgency.WEEK, code="desk", telephone=view.telephone(name))
