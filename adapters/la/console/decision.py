"""The decision, and what follows it: sealed parts, outcome notices, handover, corrections, answers by telephone.

The threshold decision is a person's: nothing here proposes one (design, "Never" 7). It may be made before every answer
is in; what had been seen and what had not is written down with it (RSP-15, RSP-16).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from adapters.kit.delivery.reopening import open_section
from adapters.kit.envelope.sealing import Section
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.filing import write
from adapters.kit.store.transaction import Transaction
from adapters.kit.users import training_warning
from adapters.la.console.answers import KIND, PROGRESS, arrivals, read_arrived
from adapters.la.console.arrived import Arrived, EnvelopeRef, Progress
from adapters.la.console.cautions import before_deciding
from adapters.la.console.coordinator import Office
from adapters.la.console.enquiry import (
    CorrectionTask,
    Decided,
    Enquiry,
    Handover,
    Issued,
    ReferrerTold,
    with_calls_answered,
)
from adapters.la.console.telephone import Spoken as Spoken
from adapters.la.console.telephone import from_telephone, spoken_objections
from broker.sla import DEFAULT_ALLOWANCES, EVERY_REFERRER_IN_A_DAY, outcome_to_partners_due, referrer_due
from schemas.content.codes import Audience
from schemas.content.notice import CorrectionAcknowledgement, OutcomeNotice
from schemas.content.response import Item, SealedPart

OUTCOMES = frozenset(
    {
        "no_further_action",
        "advice_or_signposting",
        "early_help",
        "social_care_assessment",
        "strategy_discussion",
        "other_agency",
    }
)
BELOW_THRESHOLD = frozenset({"no_further_action", "advice_or_signposting", "early_help", "other_agency"})
DECISION_MAKER = "decision_maker"


class DecisionMaker:
    """The commands of the decision maker, and what the office does after the decision."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def open_sealed(self, reference: str, *, user: str) -> tuple[SealedPart, ...]:
        """Open every part of the answers that was sealed for the decision maker; logged before it is shown."""
        office = self._office
        office.users.require(user, DECISION_MAKER)
        opened = []
        async with office.store.transaction() as tx:
            await office.read(tx, reference)
            for document in await tx.list(KIND):
                arrived, version = await read_arrived(tx, document.key)
                if arrived.response.enquiry != reference or arrived.envelope is None or arrived.sealed is not None:
                    continue
                sealed = await self._open(tx, arrived.envelope, user=user)
                await write(tx, KIND, document.key, arrived.model_copy(update={"sealed": sealed}), version=version)
                opened.append(sealed)
        return tuple(part for part in opened if part.items)

    async def decide(
        self, reference: str, *, outcome: str, level_of_need: str, rationale: str, next_step: str, user: str
    ) -> Enquiry:
        """Record the decision and tell every agency that was asked (RSP-15, SLA-03)."""
        office = self._office
        office.users.require(user, DECISION_MAKER)
        refuse_if(_decision_objections(outcome, level_of_need, rationale, next_step))
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            refuse_if(["RSP-15: this enquiry has been decided already"] if enquiry.decided else [])
            come = await arrivals(tx, reference)
            answered = {arrived.response.rfi for arrived in come}
            decided = self._decided(enquiry, answered, outcome, level_of_need, rationale, next_step, by=user)
            decided = decided.model_copy(update={"warned": self._warned(come, rationale, next_step, user=user)})
            for issued in _to_be_told(enquiry, answered):
                await office.tell(
                    tx, issued, _notice(enquiry, issued, decided), event="NTC", user=user, rag=enquiry.rag
                )
            changed = enquiry.noting(f"decided: {outcome}", at=decided.at, by=user, decided=decided)
            await tx.record("decided", refs={"enquiry": reference}, detail=decided.canonical_bytes())
            await office.write(tx, changed, version=version)
        return changed

    async def referrer_told(self, reference: str, how: Literal["letter", "telephone"], *, user: str) -> Enquiry:
        """Record that the referrer knows of the decision, once, and stop that clock (SLA-04, SLA-05)."""
        office = self._office
        office.users.find(user)
        told = ReferrerTold(at=office.clock(), by=user, how=how)
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            refuse_if([] if enquiry.decided else ["SLA-04: nothing has been decided that the referrer could be told"])
            refuse_if(["SLA-04: the referrer has been told already"] if enquiry.referrer_told else [])
            changed = enquiry.noting(f"referrer told by {how}", at=told.at, by=user, referrer_told=told)
            await office.write(tx, changed, version=version)
        return changed

    async def hand_over(self, reference: str, service: str, items: tuple[str, ...], *, user: str) -> Enquiry:
        """Record that these items went to the receiving service (DIS-09). Raises `Refused` for any that may not."""
        office = self._office
        office.users.find(user)
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            held = {item.item: item for one in await arrivals(tx, reference) for item in one.response.items}
            refuse_if(
                f"DIS-09: {item} may not go to the receiving service"
                for item in items
                if item not in held or not may_have(enquiry, held[item], Audience.RECEIVING_SERVICE, now=now)
            )
            handover = Handover(at=now, by=user, service=service, items=items)
            changed = enquiry.noting(
                f"{len(items)} items handed to {service}",
                at=handover.at,
                by=user,
                handovers=(*enquiry.handovers, handover),
            )
            await office.write(tx, changed, version=version)
        return changed

    async def acknowledge_correction(
        self, reference: str, item: str, audience: str, *, user: str, service: str = ""
    ) -> Enquiry:
        """Record that one who received an item has seen its correction, and tell the agency that made it (RSP-13).

        `service` says which, where several services were handed the item. Raises `Refused` where none waits.
        """
        office = self._office
        office.users.find(user)
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            task = _waiting_for(enquiry, item, audience, service=service)
            done = task.model_copy(update={"acknowledged_at": now, "acknowledged_by": user})
            corrections = tuple(done if one == task else one for one in enquiry.corrections)
            issued = enquiry.request(task.rfi)
            if issued:
                notice = CorrectionAcknowledgement(
                    enquiry=reference, rfi=task.rfi, item=item, audience=audience, acknowledged_at=now
                )
                await office.tell(tx, issued, notice, event="ACK", user=user, rag=enquiry.rag)
            changed = enquiry.noting(f"correction seen by {audience}", at=now, by=user, corrections=corrections)
            await office.write(tx, changed, version=version)
        return changed

    async def record_phone_answer(self, reference: str, participant: str, spoken: Spoken, *, user: str) -> Arrived:
        """Record an answer given by telephone; it counts as an answer and awaits its confirmation in writing."""
        office = self._office
        office.users.find(user)
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            issued = enquiry.request_to(participant)
            if issued is None:
                raise Refused([f"{participant} was not asked in {reference}"])
            refuse_if(spoken_objections(enquiry, spoken))
            arrived = from_telephone(enquiry, issued, spoken, at=office.clock(), by=user)
            key = f"{reference}/{issued.rfi}/{arrived.response.items[0].item}"
            await write(tx, KIND, key, arrived, version=None)
            progress = await tx.get(PROGRESS, issued.rfi)
            if progress is None:
                await write(tx, PROGRESS, issued.rfi, Progress(seen_at=arrived.at), version=None)
            rung = with_calls_answered(enquiry, participant, how="answered by telephone", at=arrived.at)
            changed = rung.noting(f"answer of {participant} by telephone", at=arrived.at, by=user)
            await office.write(tx, changed, version=version)
        return arrived

    async def _open(self, tx: Transaction, envelope: EnvelopeRef, *, user: str) -> SealedPart:
        plain = await open_section(
            tx,
            peer=envelope.peer,
            mid=envelope.mid,
            section=Section.DECISION_MAKER,
            user=user,
            keyring=self._office.keyring,
            directory=self._office.directory(),
        )
        return SealedPart.model_validate_json(plain) if plain else SealedPart()

    def _warned(self, come: Sequence[Arrived], *texts: str, user: str) -> tuple[str, ...]:
        """Say what is worth saying about the decision and stops it not (DIS-02, GOV-15)."""
        office = self._office
        stale = training_warning(user, office.users.find(user), today=office.clock().date())
        return (*before_deciding(come, *texts), *([stale] if stale else []))

    def _decided(
        self,
        enquiry: Enquiry,
        answered: set[str],
        outcome: str,
        level_of_need: str,
        rationale: str,
        next_step: str,
        *,
        by: str,
    ) -> Decided:
        now, calendar, area = self._office.clock(), self._office.calendar, self._office.register.area
        allowances = EVERY_REFERRER_IN_A_DAY if area.every_referrer_in_a_day else DEFAULT_ALLOWANCES
        return Decided(
            at=now,
            by=by,
            outcome=outcome,
            level_of_need=level_of_need,
            rationale=rationale,
            next_step=next_step,
            seen=tuple(one.participant for one in enquiry.issued if one.rfi in answered),
            not_seen=tuple(
                one.participant for one in enquiry.issued if one.rfi not in answered and one.cancelled is None
            ),
            referrer_due_at=referrer_due(
                now, below_threshold=outcome in BELOW_THRESHOLD, calendar=calendar, allowances=allowances
            ),
            partners_due_at=outcome_to_partners_due(now, calendar=calendar),
        )


def _waiting_for(enquiry: Enquiry, item: str, audience: str, *, service: str) -> CorrectionTask:
    """Give the open task; that one service has seen a correction must not close another one's (RSP-13)."""
    open_ = [
        one for one in enquiry.corrections if (one.item, one.audience, one.acknowledged_at) == (item, audience, None)
    ]
    named = [one for one in open_ if not service or one.service == service]
    if not named:
        raise Refused([f"no correction of {item} waits for {service or audience}"])
    services = list(dict.fromkeys(one.service for one in named))
    refuse_if([f"several services hold {item}; say which has seen it: {', '.join(services)}"] if services[1:] else [])
    return named[0]


def may_have(enquiry: Enquiry, item: Item, audience: str, *, now: datetime) -> bool:
    """Say whether an audience may have an item: on its list, or granted by its originator and not taken back."""
    granted = (one for one in enquiry.onward if one.item == item.item and one.audience == audience)
    return item.marking.permits(audience) or any(one.permits(now=now) for one in granted)


def _to_be_told(enquiry: Enquiry, answered: set[str]) -> list[Issued]:
    """Give the requests whose agencies hear the outcome: not those that were cancelled before any answer came."""
    return [one for one in enquiry.issued if one.cancelled is None or one.rfi in answered]


def _notice(enquiry: Enquiry, issued: Issued, decided: Decided) -> OutcomeNotice:
    return OutcomeNotice(
        enquiry=enquiry.reference,
        rfi=issued.rfi,
        outcome=decided.outcome,
        level_of_need=decided.level_of_need,
        decided_at=decided.at,
    )


def _decision_objections(outcome: str, level_of_need: str, rationale: str, next_step: str) -> list[str]:
    reasons = []
    if outcome not in OUTCOMES:
        reasons.append(f"RSP-15: that is no outcome; one of {', '.join(sorted(OUTCOMES))}")
    if level_of_need not in ("1", "2", "3", "4"):
        reasons.append("RSP-15: give one level of need, 1 to 4")
    if not rationale.strip():
        reasons.append("RSP-15: give the rationale")
    if not next_step.strip():
        reasons.append("RSP-15: say what happens now, and who does it")
    return reasons
