"""`mash enquiry`: open, choose, send, watch, rate anew; `persons` adds persons, `deciding` has what follows."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import deciding, persons
from adapters.cli.frame import (
    HERE,
    AsJson,
    Home,
    Reference,
    User,
    at_console,
    or_refuse,
    perform,
    print_json,
    print_text,
)

app = typer.Typer(no_args_is_help=True, help="Ask many agencies about a family, and read what they answer together.")

FormFile = Annotated[Path, typer.Argument(help="The filled-in form (TOML, YAML or JSON).")]


@app.command()
def form(as_json: AsJson = False) -> None:
    """Print an empty enquiry form with every field explained; save it, fill it in, and give it to `new`."""
    from adapters.la.console.form import blank

    if as_json:
        print_json("mash.form.v1", {"format": "toml", "text": blank()})
    else:
        print_text(blank())


@app.command()
def new(
    reference: Reference,
    form_file: FormFile,
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


@app.command()
def amend(reference: Reference, form_file: FormFile, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Put a corrected form in place of the one given before. What has been sent stays as it was sent."""
    from adapters.la.console.form import load_form

    filled = or_refuse(lambda: load_form(form_file))
    perform(
        at_console(lambda console: console.coordinator.amend(reference, filled, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{enquiry.reference} has the new form, with {len(enquiry.form.persons)} persons.",
    )


@app.command("list")
def list_(user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """List the enquiries: rating, who was asked, who has not answered, and the next due time."""
    from adapters.cli.desk_views import enquiries_table, enquiry_entries

    perform(
        at_console(lambda console: console.answers.standing(user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiries.v1",
        show=enquiries_table,
        plain=enquiry_entries,
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
    whom: Annotated[str, typer.Argument(help="The agency's directory id, or a kind of agency, e.g. dwp.")],
    reason: Annotated[str, typer.Argument(help="Why it is not contacted, in quotation marks.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record why an agency is not contacted; one that was chosen and not asked yet is dropped."""
    perform(
        at_console(lambda console: console.coordinator.leave_out(reference, whom, reason, user=user)),
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
    hold: Annotated[
        int,
        typer.Option(min=0, max=60, help="Minutes before anything leaves; until then `cancel` takes it back unseen."),
    ] = 0,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Send to everyone chosen, and again what came back with gaps. Refused with every reason where one is left."""
    from datetime import timedelta

    from adapters.cli.times import moment_given
    from adapters.la.console.render import issued_lines

    due_at, held = moment_given(due, option="--due"), timedelta(minutes=hold)
    perform(
        at_console(lambda console: console.coordinator.issue(reference, user=user, due_at=due_at, hold_for=held)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=issued_lines,
    )


@app.command()
def cancel(
    reference: Reference,
    participant: Annotated[str, typer.Argument(help="Whose request: the directory id, e.g. testford-police.")],
    reason: Annotated[str, typer.Argument(help="Why it is not pursued, in quotation marks; they are told.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Cancel what was asked of one agency: taken back if it has not left, otherwise they are told to stop."""
    from adapters.la.console.render import cancelled_line

    perform(
        at_console(lambda console: console.cancelling.cancel(reference, participant, reason, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: cancelled_line(enquiry, participant),
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


app.add_typer(persons.app)
app.add_typer(deciding.app)
