"""`mash respond form`, `record`, `ask-advice`, `advice-given`: what is written down so that an answer is lawful."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, or_refuse, perform

app = typer.Typer()

Rfi = Annotated[str, typer.Argument(help="The request's reference, from `mash inbox list`.")]
Adviser = Annotated[str, typer.Argument(help="Whose advice: legal, dpo or caldicott.")]


@app.command()
def form(rfi: Rfi, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Print the form of the answer's lawfulness, filled in where that is settled; what is empty is for you to say."""
    from adapters.cli.lawful_form import form_text

    perform(
        lambda adapter: adapter.lawful.form(rfi, user=user),
        home=home,
        as_json=as_json,
        schema="mash.lawful-notes.v1",
        show=lambda notes: form_text(rfi, notes),
    )


@app.command()
def record(
    rfi: Rfi,
    form_file: Annotated[Path, typer.Argument(help="The filled-in form (YAML, TOML or JSON).")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Keep the filled-in form in your name, and show what still stands against the answer."""
    from adapters.cli.lawful_form import read_notes
    from adapters.cli.proposal_view import proposal_plain, proposal_text

    notes = or_refuse(lambda: read_notes(form_file))
    perform(
        lambda adapter: adapter.lawful.record(rfi, notes, user=user),
        home=home,
        as_json=as_json,
        schema="mash.proposal.v1",
        show=proposal_text,
        plain=proposal_plain,
    )


@app.command("ask-advice")
def ask_advice(rfi: Rfi, of: Adviser, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Note that you asked for advice. The answer's clock runs on; half-way to its due time you are warned."""
    perform(
        lambda adapter: adapter.lawful.ask_advice(rfi, of, user=user),
        home=home,
        as_json=as_json,
        schema="mash.request.v1",
        show=lambda file: f"Advice of {of} is awaited for {rfi}; the answer is still due as before.",
    )


@app.command("advice-given")
def advice_given(rfi: Rfi, of: Adviser, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Note that the advice you asked for has come, whatever it says."""
    perform(
        lambda adapter: adapter.lawful.advice_given(rfi, of, user=user),
        home=home,
        as_json=as_json,
        schema="mash.request.v1",
        show=lambda file: f"The advice of {of} on {rfi} has come.",
    )
