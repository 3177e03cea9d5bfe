"""The collation in sentences, for the terminal and for paper alike. Pure; what partners wrote passes through raw.

Whoever shows these lines makes them safe for their medium first (`legible`): nothing here does.
"""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime

from adapters.la.console.chronology import when
from adapters.la.console.collation import CollatedItem, Collation, HeldBack, Row, Status
from adapters.la.console.enquiry import Decided
from adapters.la.console.figures import Counters
from adapters.la.console.legible import day, moment
from adapters.la.console.wording import (
    ALERTS,
    CONDITIONS,
    DECISIONS,
    LEFT_OUT,
    NATURES,
    NILS,
    OBTAINED,
    ORIGINATORS,
    REASONS,
    STATUSES,
    TRACES,
    Left,
    in_words,
    listed,
    source_name,
    who_may_receive,
)
from schemas.content.codes import Alert, Audience
from schemas.content.response import TraceStatus

STOPPED = frozenset({Status.CANCELLED, Status.PARTICIPANT_LEFT})
NO_DECISION = "Not decided yet. The decision is the decision maker's; nothing here proposes one."


def decision(decided: Decided | None, rows: tuple[Row, ...], *, now: datetime) -> Iterator[str]:
    """Say what was decided, why, what next, and who had not answered (RSP-15, RSP-16)."""
    if decided is None:
        yield NO_DECISION
        return
    called = {row.participant: row.name for row in rows}
    outcome = in_words(DECISIONS, decided.outcome)
    when_and_who = f"Decided {moment(decided.at, near=now)} by {decided.by}"
    yield f"{when_and_who}: {outcome}, level of need {decided.level_of_need}."
    yield f"Why: {decided.rationale}"
    yield f"Next: {decided.next_step}"
    if decided.not_seen:
        yield f"Decided without an answer from {listed([called.get(one, one) for one in decided.not_seen])}."


def answer(row: Row, *, now: datetime) -> list[str]:
    """Say where one request stands, in short lines; "no reply" is said, and never looks like a nil."""
    if row.status in STOPPED:
        return [in_words(STATUSES, row.status)]
    if row.answered_at is None:
        state = "OVERDUE since" if row.overdue else "owed until"
        return [state, moment(row.due_at, near=now), in_words(STATUSES, row.status)]
    partly = row.status is Status.PARTIAL
    words = [("partly answered" if partly else "answered") + (" LATE" if row.late else "")]
    words.append(moment(row.answered_at, near=now))
    words += [f"{source_name(source)} {owed(until, now=now)}" for source, until in row.owed_until.items()]
    words += ["by telephone"] if row.by_phone else []
    words += [f"with {count(row.supplements, 'supplement')}"] if row.supplements else []
    return words


def owed(until: datetime, *, now: datetime) -> str:
    """Say until when something is owed, or since when it is overdue."""
    return f"{'OVERDUE since' if now > until else 'owed until'} {moment(until, near=now)}"


def came(row: Row, names: Mapping[str, str]) -> Iterator[str]:
    """Say what came: counts, and whatever keeps an answer from being a plain one."""
    counted = (
        (row.items, count(row.items, "item")),
        (row.for_decision_maker, f"{row.for_decision_maker} for the decision maker alone"),
        (row.indicated, f"holds confidential information ({row.indicated})"),
        (row.referred, f"ask somebody else ({row.referred})"),
        (row.refused, f"withheld ({row.refused})"),
    )
    if row.nil:
        yield in_words(NILS, row.nil)
    yield from (words for number, words in counted if number)
    for status in (TraceStatus.POSSIBLE_MATCH, TraceStatus.UNKNOWN):
        persons = [names.get(key, key) for key, trace in row.traces.items() if trace is status]
        if persons:
            yield f"{listed(persons)}: {in_words(TRACES, status)}"
    yield from (f"missing: {gap}" for gap in row.gaps)


def still_owed(collation: Collation) -> list[tuple[bool, str]]:
    """Give one line for everything that has not come, the most pressing first; True where it is overdue."""
    waiting = [row for row in collation.rows if row.status not in STOPPED]
    missing = [(row.due_at, row.name) for row in waiting if row.answered_at is None]
    missing += [
        (until, f"{row.name}: {source_name(source)}")
        for row in collation.rows
        for source, until in row.owed_until.items()
    ]
    now = collation.as_at
    return [(now > until, f"{owed(until, now=now)}   {what}") for until, what in sorted(missing)]


def day_of(one: CollatedItem) -> str:
    """Give the day on which it happened, or say that nobody stated one."""
    on = when(one)
    return day(on) if on else "no date given"


def about(one: CollatedItem, names: Mapping[str, str]) -> str:
    """Say whom the item is about."""
    return f"about {listed([names.get(key, key) for key in one.item.subjects])}" if one.item.subjects else ""


def caption(one: CollatedItem, names: Mapping[str, str]) -> list[str]:
    """Give the parts of an item's heading: day, agency, what kind of statement, about whom."""
    nature = in_words(NATURES, one.item.marking.nature)
    summary = ["a summary"] if one.item.summarised else []
    return list(filter(None, (day_of(one), one.name, nature, *summary, about(one, names))))


def remarks(one: CollatedItem) -> Iterator[str]:
    """Give what must strike the eye: sealed, urgent, a supplement, late."""
    if one.sealed:
        yield "SEALED for the decision maker"
    for alert in one.item.alerts:
        yield "URGENT" if alert == Alert.URGENT_CONTENT else in_words(ALERTS, alert)
    if one.supplement:
        yield f"supplement of {moment(one.arrived_at)}"
    elif one.late:
        yield f"came late, {moment(one.arrived_at)}"


def audiences(one: CollatedItem) -> str:
    """Say who may receive the item, and that the family may not where it is not named."""
    marking = one.item.marking
    family = "" if marking.permits(Audience.FAMILY) else " Not to the family."
    return f"May go to {who_may_receive(marking.onward, sealed=one.sealed)}.{family}"


def bindings(one: CollatedItem, *, said_once: Container[str] = ()) -> Iterator[str]:
    """Give everything that binds whoever reads the item, one point each."""
    marking = one.item.marking
    if marking.grading:
        yield f"Grading: {marking.grading}."
    for condition in marking.conditions:
        if condition not in said_once:
            yield in_words(CONDITIONS, condition)
    for words in marking.handling_conditions:
        yield f"Word for word: “{words}”"
    if one.item.refer_to:
        yield f"For what was taken out, ask {listed([in_words(ORIGINATORS, whom) for whom in one.item.refer_to])}."


def provenance(one: CollatedItem) -> str:
    """Say whose the item is, who gave it, how it was obtained, and where it is written down (DIS-19, DIS-20)."""
    marking = one.item.marking
    parts = [f"From {in_words(ORIGINATORS, marking.originator)}, {in_words(OBTAINED, marking.obtained)}"]
    parts += [f"source: {one.item.source}"] if one.item.source else []
    parts += [f"given by {marking.holder}", f"arrived {moment(one.arrived_at)}"]
    parts += [f"written down {day(one.item.recorded_on)}"] if one.item.recorded_on else []
    return "; ".join(parts) + f". Item {one.item.item}."


def held(one: HeldBack) -> str:
    """Say what is held and not given: whom to ring, whom to ask instead, or why it was refused (DIS-01)."""
    if one.indicator:
        sealed = " A part of it is sealed for the decision maker." if one.indicator.sealed_for else ""
        return f"holds confidential information: ring {one.indicator.contact} on {one.indicator.telephone}.{sealed}"
    if one.referral:
        whom = listed([in_words(ORIGINATORS, originator) for originator in one.referral.refer_to])
        heard = f", heard there on {day(one.referral.heard_on)}" if one.referral.heard_on else ""
        return f"says: ask {whom}{heard}{f' ({one.note})' if one.note else ''}. {_because(one.referral.reasons)}"
    return f"withheld something. {_because(one.refusal.reasons if one.refusal else ())}"


def held_points(one: HeldBack) -> list[str]:
    """Give what binds whoever rings about an indicator."""
    if one.indicator is None:
        return []
    return [
        *[in_words(CONDITIONS, code) for code in one.indicator.conditions],
        *[f"Word for word: “{words}”" for words in one.indicator.handling_conditions],
        *[in_words(ALERTS, alert) for alert in one.indicator.alerts],
    ]


def left_out(counts: Mapping[Left, int]) -> list[str]:
    """Say how much this reader was not given, and why; nothing of what it is."""
    return [f"{number} not shown: {LEFT_OUT[left]}." for left, number in counts.items()]


def counters(figures: Counters) -> str:
    """Give the figures by which the course of the enquiry can be checked, in one paragraph."""
    referred = [f"{number} to {in_words(ORIGINATORS, whom)}" for whom, number in figures.referred_to.items()]
    said = [
        f"{count(figures.rfis, 'request')}, {figures.answered} answered in full",
        f"{count(figures.rfi_breaches, 'breach', 'breaches')} of a due time, "
        f"{figures.sub_request_breaches} within an agency",
        f"{count(figures.phone_prompts, 'telephone prompt')}, {figures.phone_prompts_open} open",
        f"{figures.indicate_only} confidential only",
        f"referred: {listed(referred) or 'none'}",
        count(figures.reratings, "re-rating"),
        count(figures.supplements, "supplement"),
        f"{count(figures.corrections, 'correction')}, {figures.correction_acknowledgements} acknowledged, "
        f"{figures.correction_acknowledgements_owed} to come",
    ]
    return "; ".join(said) + "."


def count(number: int, one: str, many: str | None = None) -> str:
    """Say a number of things."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _because(reasons: tuple[str, ...]) -> str:
    words = list(dict.fromkeys(in_words(REASONS, reason) for reason in reasons))
    return f"Because: {listed(words)}." if words else "No reason was given: ask for one."
