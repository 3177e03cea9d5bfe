"""A coordinator's desk for tests: the scenario's enquiry, the area's register, and what stands against issuing it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from adapters.la.console.enquiry import Enquiry, Form, Issued, Planned, Rating, opened
from adapters.la.console.form import load_form
from adapters.la.console.issuing import Area, Draft, drafts, objections
from adapters.la.console.register import Register, load_register
from broker.calendar import MASH_CALENDAR
from deploy.demo.area import FORM, HERE

NOW = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
REGISTER = load_register(HERE / "register.toml")
MANAGER = ("mash_team_manager",)


def form(**changes: object) -> Form:
    """Give the scenario's form with some fields changed."""
    return load_form(FORM).model_copy(update=changes)


def planned(participant: str = "testford-police", **changes: object) -> Planned:
    """Give a plan to ask somebody, with everything that a recipient needs."""
    made = Planned(
        participant=participant,
        rationale="crimes about the named adults",
        belief_of_involvement="the school heard of it",
        public_task_statement=True,
    )
    return made.model_copy(update=changes)


def enquiry(*plans: Planned, rag: str | None = "AMBER", filled: Form | None = None, **changes: object) -> Enquiry:
    """Give an enquiry that could be issued at once to those planned; to the police where nobody is named."""
    made = opened("ENQ-2026-000431", filled or form(), at=NOW, by="p-example")
    rating = Rating(rag=rag, at=NOW, by="p-example", rationale="as reported") if rag else None
    update = {"planned": plans or (planned(),), "ratings": (rating,) if rating else (), **changes}
    return made.model_copy(update=update)


def area(register: Register = REGISTER, *, writes_to_all: bool = True) -> Area:
    """Give the area, with a directory that lets us write to everybody or to nobody."""
    return Area(register, MASH_CALENDAR, lambda _: writes_to_all)


def issued(participant: str, **changes: object) -> Issued:
    """Give a request that went out to a participant."""
    made = Issued(
        participant=participant,
        rfi=f"RFI-{participant}",
        thread="t" * 22,
        message="",
        mid="",
        issued_at=NOW,
        due_at=NOW,
        urgent=True,
    )
    return made.model_copy(update=changes)


def made(
    about: Enquiry, *, where: Area | None = None, bounced: Iterable[str] = (), sooner: datetime | None = None
) -> tuple[Draft, ...]:
    """Give the requests that issuing now would make."""
    return drafts(about, area=where or area(), bounced=frozenset(bounced), now=NOW, sooner=sooner)


def against(
    about: Enquiry, *, roles: Iterable[str] = MANAGER, where: Area | None = None, sooner: datetime | None = None
) -> list[str]:
    """Give the requirement and place of everything that stands against issuing."""
    here = where or area()
    lines = objections(about, made(about, where=here, sooner=sooner), roles=roles, area=here, now=NOW)
    return [line.partition(": ")[0].replace("  ", " ") for line in lines]
