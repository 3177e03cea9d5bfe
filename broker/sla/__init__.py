"""Every clock of the hub and of its members, as pure functions of events (SLA-01 to SLA-14).

`allowances` is the table, `due` adds it to a moment, `timers` makes rows of it, `events` and `clock` follow one
request, `governance` holds the clocks of law and agreement. Time is always an argument; nothing here reads a clock.
"""

from broker.sla.allowances import (
    DEFAULT_ALLOWANCES,
    EVERY_REFERRER_IN_A_DAY,
    RED_IN_WORKING_HOURS,
    Allowance,
    Allowances,
    ByRating,
    Measure,
    NobodyAskedError,
    elapsed,
    working_days,
    working_hours,
)
from broker.sla.clock import ClockState, RfiClock
from broker.sla.due import (
    ReasonMissingError,
    adapter_ack_due,
    correction_ack_due,
    decision_due,
    extended_due,
    human_ack_due,
    is_urgent,
    marac_minutes_due,
    onward_question_due,
    outcome_to_partners_due,
    phone_call_due,
    referrer_due,
    rerated_due,
    response_due,
    sub_request_due,
)
from broker.sla.events import ClockEvent, ClockEventKind, NotIssuedError
from broker.sla.timers import LADDER, Contact, Leg, Rung, Timer, TimerKind, advice_alert_due, timers_for

__all__ = [
    "DEFAULT_ALLOWANCES",
    "EVERY_REFERRER_IN_A_DAY",
    "LADDER",
    "RED_IN_WORKING_HOURS",
    "Allowance",
    "Allowances",
    "ByRating",
    "ClockEvent",
    "ClockEventKind",
    "ClockState",
    "Contact",
    "Leg",
    "Measure",
    "NobodyAskedError",
    "NotIssuedError",
    "ReasonMissingError",
    "RfiClock",
    "Rung",
    "Timer",
    "TimerKind",
    "adapter_ack_due",
    "advice_alert_due",
    "correction_ack_due",
    "decision_due",
    "elapsed",
    "extended_due",
    "human_ack_due",
    "is_urgent",
    "marac_minutes_due",
    "onward_question_due",
    "outcome_to_partners_due",
    "phone_call_due",
    "referrer_due",
    "rerated_due",
    "response_due",
    "sub_request_due",
    "timers_for",
    "working_days",
    "working_hours",
]
