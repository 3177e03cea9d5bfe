"""`mash enquiry`: open an enquiry, choose whom to ask, send, watch, rate anew, decide, export."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, at_console, or_refuse, perform, print_text

app = typer.Typer(no_args_is_help=True, help="Ask many agencies about a family, and read what they answer together.")

Reference = Annotated[str, typer.Argument(help="The enquiry's reference, for example ENQ-2026-000431.")]


@app.command()
def form() -> None:
    """Print an empty enquiry form with every field explained; save it, fill it in, and give it to `new`."""
    from adapters.la.console.form import blank

    print_text(blank())


@app.command()
def new(
    reference: Reference,
    form_file: Annotated[Path, typer.Argument(help="The filled-in form (TOML, YAML or JSON).")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Open an enquiry from a form. Nobody is asked yet."""
    from adapters.la.console.form import load_form

    filled = or_refuse(lambda: load_form(form_file))
    perform(
        at_console(lambda console: console.coordinator.new(reference, filled, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: (
            f"Opened {enquiry.reference} with {len(enquiry.form.persons)} persons. Nobody is asked yet."
        ),
    )


@app.command("add-person")
def add_person(
    reference: Reference,
    key: Annotated[str, typer.Argument(help="A short name by which answers refer to the person, e.g. tilly.")],
    user: User,
    name: Annotated[str, typer.Option(help="The full name.")],
    role: Annotated[str, typer.Option(help="subject_child, child, unborn_child, parent, partner, other_family, ...")],
    relationship: Annotated[str, typer.Option(help="What the person is to the child.")],
    dob: Annotated[str | None, typer.Option(help="Date of birth, YYYY-MM-DD.")] = None,
    edd: Annotated[str | None, typer.Option(help="Expected date of delivery of an unborn child.")] = None,
    address: Annotated[str | None, typer.Option(help="The address, for matching.")] = None,
    identifier: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, for example nhs_number=9990100004; may be repeated.")
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Add a person to an enquiry, or replace the one with this key."""
    from schemas.content.person import Person

    def made() -> Person:
        return Person(
            name=name,
            role=role,
            relationship=relationship,
            dob=_date(dob, "--dob"),
            edd=_date(edd, "--edd"),
            address=address,
            life_status="unborn" if edd else "living",
            identifiers=dict(_pair(text) for text in identifier or []),
        )

    person = made()
    perform(
        at_console(lambda console: console.coordinator.add_person(reference, key, person, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{enquiry.reference} now names {', '.join(enquiry.form.persons)}.",
    )


@app.command()
def choose(
    reference: Reference,
    participant: Annotated[str, typer.Argument(help="Whom to ask: the directory id, e.g. testford-police.")],
    user: User,
    rationale: Annotated[str, typer.Option(help="Why this agency and not another.")],
    belief: Annotated[str | None, typer.Option(help="Why the agency is thought to know the family.")] = None,
    question: Annotated[
        list[str] | None, typer.Option(help="A question code; repeat it. Without any: the usual ones.")
    ] = None,
    public_task: Annotated[
        bool, typer.Option(help="State our Article 6(1)(e) task, which a body that is not public needs (RFI-17).")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="A reason text for this recipient alone.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Choose an agency to ask, and say why."""
    from adapters.la.console.enquiry import Planned

    planned = Planned(
        participant=participant,
        rationale=rationale,
        belief_of_involvement=belief,
        public_task_statement=public_task,
        questions=tuple(question) if question else None,
        reason=reason,
    )
    perform(
        at_console(lambda console: console.coordinator.choose(reference, planned, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{enquiry.reference} will ask {', '.join(one.participant for one in enquiry.planned)}.",
    )


@app.command("leave-out")
def leave_out(
    reference: Reference,
    kind: Annotated[str, typer.Argument(help="The kind of agency, e.g. dwp.")],
    reason: Annotated[str, typer.Argument(help="Why it is not contacted.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record why an agency is not contacted."""
    perform(
        at_console(lambda console: console.coordinator.leave_out(reference, kind, reason, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"Not contacted: {', '.join(enquiry.not_contacted)}.",
    )


@app.command()
def rate(
    reference: Reference,
    rag: Annotated[str, typer.Argument(help="RED, AMBER, GREEN or BLUE.")],
    rationale: Annotated[str, typer.Option(help="Why this rating.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Rate an enquiry before it is sent. Team manager or decision maker only."""
    perform(
        at_console(lambda console: console.coordinator.rate(reference, rag.upper(), rationale, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{enquiry.reference} is rated {enquiry.rag}.",
    )


@app.command()
def issue(
    reference: Reference,
    user: User,
    due: Annotated[str | None, typer.Option(help="An earlier due time than the rating gives, ISO 8601.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Send the enquiry to everyone chosen. Refused with every reason at once where anything is missing."""
    from adapters.la.console.render import issued_lines

    due_at = _moment(due)
    perform(
        at_console(lambda console: console.coordinator.issue(reference, user=user, due_at=due_at)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=issued_lines,
    )


@app.command()
def show(reference: Reference, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Show who answered, what, with which markings, what is held back, and what is still owed until when."""
    from adapters.la.console.export import document
    from adapters.la.console.render import render_collation

    perform(
        at_console(lambda console: console.answers.collation(reference, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.collation.v1",
        show=render_collation,
        plain=lambda collation: document(collation, for_screen=True).model_dump(mode="json", by_alias=True),
    )


@app.command()
def rerate(
    reference: Reference,
    rag: Annotated[str, typer.Argument(help="RED, AMBER or GREEN.")],
    rationale: Annotated[str, typer.Option(help="What changed.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Rate a running enquiry anew. Due times get sooner or stay; they never get later."""
    from adapters.la.console.render import issued_lines

    perform(
        at_console(lambda console: console.coordinator.rerate(reference, rag.upper(), rationale, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=issued_lines,
    )


@app.command("open-sealed")
def open_sealed(reference: Reference, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Open what was sealed for the decision maker. Logged before it is shown; afterwards `show` includes it."""
    perform(
        at_console(lambda console: console.decision_maker.open_sealed(reference, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.sealed.v1",
        show=lambda parts: (
            f"{sum(len(part.items) for part in parts)} sealed items opened; `mash enquiry show` has them."
        ),
    )


@app.command()
def decide(
    reference: Reference,
    user: User,
    outcome: Annotated[str, typer.Option(help="For example strategy_discussion, early_help, no_further_action.")],
    level: Annotated[str, typer.Option(help="The level of need, 1 to 4.")],
    rationale: Annotated[str, typer.Option(help="Why.")],
    next_step: Annotated[str, typer.Option(help="What happens now, and who does it.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record the decision maker's decision; every agency that was asked is told the outcome."""
    from adapters.la.console.render import decided_lines

    perform(
        at_console(
            lambda console: console.decision_maker.decide(
                reference,
                outcome=outcome,
                level_of_need=level,
                rationale=rationale,
                next_step=next_step,
                user=user,
            )
        ),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=decided_lines,
    )


@app.command()
def export(
    reference: Reference,
    user: User,
    pdf: Annotated[Path | None, typer.Option(help="Write the decision pack as PDF here.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json-file", help="Write the collation as JSON here.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the decision pack: PDF for people, JSON for the case system."""
    from adapters.la.console.exporting import write_exports

    perform(
        at_console(lambda console: write_exports(console, reference, user=user, pdf=pdf, json_file=json_file)),
        home=home,
        as_json=as_json,
        schema="mash.export.v1",
        show=lambda written: "\n".join(f"Wrote {path}" for path in written.values()),
    )


@app.command("hand-over")
def hand_over(
    reference: Reference,
    service: Annotated[str, typer.Argument(help="The receiving service.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Hand over to the receiving service everything that may go there, and nothing else."""
    from adapters.la.console.exporting import hand_over_permitted

    perform(
        at_console(lambda console: hand_over_permitted(console, reference, service, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{len(enquiry.handovers[-1].items)} items handed over to {service}.",
    )


@app.command("acknowledge-correction")
def acknowledge_correction(
    reference: Reference,
    item: Annotated[str, typer.Argument(help="The item's reference.")],
    audience: Annotated[str, typer.Argument(help="Who has seen it: mash_team or receiving_service.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record that a recipient of an item has seen its correction."""
    perform(
        at_console(lambda console: console.decision_maker.acknowledge_correction(reference, item, audience, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda _: f"The correction is acknowledged for {audience}.",
    )


def _date(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2017-03-14", param_hint=option) from None


def _moment(text: str | None) -> datetime | None:
    from zoneinfo import ZoneInfo

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time like 2026-11-25T10:12", param_hint="--due") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Europe/London"))


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise typer.BadParameter("write it as NAME=VALUE, for example nhs_number=9990100004", param_hint="--identifier")
    return name, value
