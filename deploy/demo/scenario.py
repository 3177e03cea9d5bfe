"""The course of the Ashgrove-Test enquiry, hour by hour, from the report of the school to the last correction.

Every step is what a person at one of the agencies does with the product: nothing is put into a store from the side.
Time is the scenario's own; after each step everything that is under way arrives before the clock moves on.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from adapters.la.console.collation import Collation
from adapters.la.console.enquiry import Planned
from adapters.la.console.form import load_form
from broker.sla import sub_request_due
from deploy.demo.agencies import ASKED, COUNCIL, MANAGER, NOT_CONTACTED
from deploy.demo.area import FORM, Area
from deploy.demo.lawful import written
from schemas.content.codes import Audience
from schemas.content.response import Judgement, Response

REFERENCE = "ENQ-2026-000431"
LONDON = ZoneInfo("Europe/London")
Step = Callable[["Ashgrove"], Awaitable[None]]


def at(day: int, hour: int, minute: int) -> datetime:
    """Give a moment of November 2026 in London as UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=LONDON).astimezone(UTC)


class Ashgrove:
    """The enquiry as it runs in an area. `tell` is called with one line for each thing that happens."""

    def __init__(self, area: Area, *, tell: Callable[[datetime, str], None]) -> None:
        self._area = area
        self._tell = tell

    async def run(self) -> Collation:
        """Play the whole scenario and give the final collation as the decision maker sees it."""
        for when, said, step in STEPS:
            self._area.time = when
            await step(self)
            await self._area.settle()
            self._tell(when, said)
        return await self.collation()

    async def collation(self) -> Collation:
        """Give the collation as it stands for the decision maker."""
        return await self._area.console.answers.collation(REFERENCE, user=MANAGER)

    async def open_and_rate(self) -> None:
        """Open the enquiry, choose whom to ask and why, rate it."""
        coordinator = self._area.console.coordinator
        await coordinator.new(REFERENCE, load_form(FORM), user=MANAGER)
        for participant, why in ASKED.items():
            await coordinator.choose(REFERENCE, Planned.from_plain({"participant": participant, **why}), user=MANAGER)
        for kind, reason in NOT_CONTACTED.items():
            await coordinator.leave_out(REFERENCE, kind, reason, user=MANAGER)
        await coordinator.rate(REFERENCE, "AMBER", "domestic abuse and neglect reported by the school", user=MANAGER)

    async def issue(self) -> None:
        """Send it to eight agencies."""
        await self._area.console.coordinator.issue(REFERENCE, user=MANAGER)

    async def call_everyone(self) -> None:
        """Make the telephone calls that urgent requests ask for."""
        enquiry = await self._area.console.coordinator.show(REFERENCE, user=MANAGER)
        waiting = {prompt.participant for prompt in enquiry.prompts if prompt.made_at is None}
        for participant in sorted(waiting):
            await self._area.console.coordinator.record_call(
                REFERENCE, participant, "duty desk reached; the request has been seen", user=MANAGER
            )

    async def rerate(self) -> None:
        """Rate RED after the answers of probation and the IDVA."""
        await self._area.console.coordinator.rerate(
            REFERENCE, "RED", "no unsupervised contact allowed; mother plans to leave on Friday", user=MANAGER
        )

    async def answer(
        self, participant: str, *, level: str, best_placed: str, analysis: str, sources: frozenset[str] | None = None
    ) -> Response:
        """Answer as a practitioner does: look up, get every approval, judge, write down why it is lawful, send."""
        agency = self._area.adapters[participant]
        user = self._area.first_user(participant)
        rfi = await self.rfi_of(participant)
        proposal = await agency.desk.propose(rfi, user=user, sources=sources)
        for one in proposal.judged:
            for role in sorted(one.decision.approvals_needed):
                holder = self._area.holder_of(participant, role)
                await agency.desk.approve(rfi, one.candidate.key, role=role, user=holder)
        judgement = Judgement(level_of_need=level, best_placed=best_placed, analysis=analysis)
        await agency.desk.judge(rfi, judgement, user=user)
        await agency.lawful.record(rfi, written(await agency.lawful.form(rfi, user=user)), user=user)
        return await agency.desk.send(rfi, user=user)

    async def rfi_of(self, participant: str) -> str:
        """Give the reference of the request that this participant holds."""
        (file,) = await self._area.adapters[participant].desk.list()
        return file.rfi.rfi or ""

    async def ask_health_sources(self) -> None:
        """The health representative asks its own sector, an hour's margin before its own due time."""
        desk = self._area.adapters["testford-health"].desk
        rfi = await self.rfi_of("testford-health")
        file = await desk.show(rfi, user="health-rep")
        due = sub_request_due(file.rfi.response_due_at or file.received_at, asked_at=self._area.time)
        for source in ("gp", "health_visiting", "midwifery", "acute"):
            await desk.ask_source(rfi, source, due_at=due, user="health-rep")

    async def health_in_part(self) -> None:
        """Answer with what has come from three sources; the GP is still owed."""
        desk = self._area.adapters["testford-health"].desk
        rfi = await self.rfi_of("testford-health")
        come = ("health_visiting", "midwifery", "acute")
        for source in come:
            await desk.source_answered(rfi, source, user="health-rep")
        await self.answer(
            "testford-health",
            level="3-4",
            best_placed="children's social care",
            analysis="injury with an explanation that does not fit; missed care; late booking of the unborn child",
            sources=frozenset(come),
        )

    async def health_the_rest(self) -> None:
        """The GP has answered, after the due time."""
        desk = self._area.adapters["testford-health"].desk
        await desk.source_answered(await self.rfi_of("testford-health"), "gp", user="health-rep")
        await self.answer(
            "testford-health",
            level="4",
            best_placed="children's social care",
            analysis="disclosure of strangulation to the GP",
        )

    async def decide(self) -> None:
        """Open what was sealed for the decision maker, decide, and hand over what may be handed over."""
        decision_maker = self._area.console.decision_maker
        await decision_maker.open_sealed(REFERENCE, user=MANAGER)
        await decision_maker.decide(
            REFERENCE,
            outcome="strategy_discussion",
            level_of_need="4",
            rationale="violence, restriction on contact, injury, planned flight; eight seen, the GP outstanding",
            next_step="section 47 strategy discussion with the police tonight",
            user=MANAGER,
        )
        collation = await self.collation()
        items = tuple(
            one.item.item
            for one in collation.items
            if not one.sealed and one.item.marking.permits(Audience.RECEIVING_SERVICE)
        )
        await decision_maker.hand_over(REFERENCE, "assessment team north", items, user=MANAGER)

    async def school_adds(self) -> None:
        """The school has learned something new and sends it to the closed enquiry."""
        self._area.add_records("testford-education", "education/sample_later")
        await self.answer(
            "testford-education",
            level="4",
            best_placed="children's social care",
            analysis="a second child has spoken",
        )

    async def housing_corrects(self) -> None:
        """Housing finds the date of its inspection wrong."""
        desk, rfi = self._area.adapters["testford-housing"].desk, await self.rfi_of("testford-housing")
        wording = "inspection 2026-08: no heating, mould in both bedrooms, one mattress on the floor"
        proposal = await desk.summarise(rfi, "HOU-01", wording=wording, user="housing-lead")
        (one,) = [one for one in proposal.judged if one.candidate.key == "HOU-01"]
        for role in sorted(one.approvals_needed):
            await desk.approve(rfi, "HOU-01", role=role, user=self._area.holder_of("testford-housing", role))
        await desk.correct(
            rfi,
            "HOU-01",
            wording=wording,
            what_was_wrong="the inspection was in August, not in September",
            user="housing-lead",
        )

    async def acknowledge(self) -> None:
        """Everyone who holds the item acknowledges the correction."""
        enquiry = await self._area.console.coordinator.show(REFERENCE, user=MANAGER)
        for task in enquiry.corrections:
            await self._area.console.decision_maker.acknowledge_correction(
                REFERENCE, task.item, task.audience, user=MANAGER, service=task.service
            )


def _answers(participant: str, level: str, best_placed: str, analysis: str) -> Step:
    async def step(run: Ashgrove) -> None:
        await run.answer(participant, level=level, best_placed=best_placed, analysis=analysis)

    return step


_CSC = "children's social care"
STEPS: tuple[tuple[datetime, str, Step], ...] = (
    (at(24, 10, 5), "the MASH team manager rates the enquiry AMBER", Ashgrove.open_and_rate),
    (at(24, 10, 12), f"{COUNCIL} asks eight agencies; each request is sealed to its recipient", Ashgrove.issue),
    (
        at(24, 10, 20),
        "eight telephone calls, because the answers are due within 24 working hours",
        Ashgrove.call_everyone,
    ),
    (at(24, 10, 30), "health asks its own sources in turn", Ashgrove.ask_health_sources),
    (
        at(24, 10, 40),
        "early help answers",
        _answers("testford-early-help", "2-3", "early help", "earlier support with a good end; no adult social care"),
    ),
    (
        at(24, 11, 20),
        "education answers, with the child's own words",
        _answers("testford-education", "4", _CSC, "the child speaks of violence; attendance falls"),
    ),
    (
        at(24, 12, 5),
        "housing answers",
        _answers("testford-housing", "3", _CSC, "home in poor condition, possession action"),
    ),
    (
        at(24, 13, 30),
        "probation answers: a restriction on contact with children",
        _answers("testford-probation", "4", _CSC, "high risk to partners and children"),
    ),
    (
        at(24, 14, 0),
        "the IDVA answers, and refers to police and MARAC for what is theirs",
        _answers("testford-idva", "4", _CSC, "separation planned, the most dangerous time"),
    ),
    (at(24, 14, 20), "rated anew: RED; due times get sooner, the emergency duty team is told", Ashgrove.rerate),
    (at(24, 14, 30), "three telephone calls to those who still owe an answer", Ashgrove.call_everyone),
    (
        at(24, 16, 12),
        "the recovery service answers, against a refusal that it weighed and recorded",
        _answers("testford-recovery", "4", _CSC, "dependent drinking in the home, no insight"),
    ),
    (
        at(24, 16, 45),
        "the police answer: shared, worded for the decision maker, and one matter only indicated",
        _answers("testford-police", "4", _CSC, "pattern of violence with children present"),
    ),
    (at(24, 17, 30), "health answers in part; the GP is still owed", Ashgrove.health_in_part),
    (at(24, 18, 40), "the decision maker opens the sealed part and decides", Ashgrove.decide),
    (at(25, 11, 30), "the GP's answer comes, late", Ashgrove.health_the_rest),
    (at(26, 9, 20), "the school sends a supplement to the closed enquiry", Ashgrove.school_adds),
    (at(27, 9, 0), "housing corrects a date; everyone who holds the item is told", Ashgrove.housing_corrects),
    (at(27, 9, 30), "the correction is acknowledged by everyone who holds the item", Ashgrove.acknowledge),
)
