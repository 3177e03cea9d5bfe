"""`mash onward`: may one more audience have this item? Asked by the receiver, answered by the originator (DIS-04)."""

from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, at_console, perform

app = typer.Typer(
    no_args_is_help=True, help="Ask an originator, or answer as one, whether somebody else may have an item."
)


@app.command()
def ask(
    reference: Annotated[str, typer.Argument(help="The enquiry's reference.")],
    item: Annotated[str, typer.Argument(help="The item's reference, from `mash enquiry show`.")],
    audience: Annotated[str, typer.Argument(help="Who else needs it: receiving_service, early_help, police, ...")],
    user: User,
    reason: Annotated[str, typer.Option(help="Why they need it.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Ask the agency that gave an item whether one more audience may have it."""
    perform(
        at_console(lambda console: console.onward.ask(reference, item, audience, reason, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.onward-question.v1",
        show=lambda question: f"Asked as {question.question}. Until it is granted, {audience} may not have the item.",
    )


@app.command()
def answer(
    rfi: Annotated[str, typer.Argument(help="The request's reference, from `mash inbox list`.")],
    question: Annotated[str, typer.Argument(help="The question's reference, from `mash inbox show`.")],
    user: User,
    grant: Annotated[bool, typer.Option("--grant/--refuse", help="Refusing takes an earlier grant back.")],
    until: Annotated[str | None, typer.Option(help="When the grant ends by itself, ISO 8601.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Answer as the originator: for this item and this audience, until a date or until you take it back."""
    from adapters.cli.times import moment_given

    valid_until = moment_given(until, option="--until")
    perform(
        lambda adapter: adapter.onward.answer(rfi, question, granted=grant, valid_until=valid_until, user=user),
        home=home,
        as_json=as_json,
        schema="mash.onward-answer.v1",
        show=lambda notice: f"{notice.audience} {'may' if notice.granted else 'may not'} have {notice.item}.",
    )
