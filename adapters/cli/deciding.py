"""`mash enquiry`, its second half: what is sealed, the decision, letters, exports, handover, corrections."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, Reference, User, at_console, perform

app = typer.Typer()


class Addressee(StrEnum):
    """Who gets a letter."""

    REFERRER = "referrer"
    FAMILY = "family"


class Told(StrEnum):
    """How a referrer is told."""

    LETTER = "letter"
    TELEPHONE = "telephone"


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
    rationale: Annotated[str, typer.Option(help="Why this decision, on what was known.")],
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
def letter(
    reference: Reference,
    to: Annotated[Addressee, typer.Argument(help="Whom it is for: referrer or family.")],
    addressed_to: Annotated[str, typer.Option(help="Name and address as they stand on the letter.")],
    pdf: Annotated[Path, typer.Option(help="Write the letter as PDF here.")],
    user: User,
    early_help_agency: Annotated[str, typer.Option(help="Who offers the family early help.")] = "",
    confirmed: Annotated[
        list[str] | None,
        typer.Option(help="An item whose condition the police, or the safeguarding lead, have lifted for the family."),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the letter about the decision. Nothing of an answer is in it that its originator did not list for them.

    It is not sent: post it, then record `referrer-told --how letter`.
    """
    from adapters.la.console.letter_writing import Wanted, write_letter

    wanted = Wanted(to.value, addressed_to, early_help_agency or None, frozenset(confirmed or ()))
    perform(
        at_console(lambda console: write_letter(console, reference, wanted, user=user, pdf=pdf)),
        writes_files=True,
        home=home,
        as_json=as_json,
        schema="mash.letter-written.v1",
        show=lambda written: f"Wrote {written['pdf']}",
    )


@app.command("referrer-told")
def referrer_told(
    reference: Reference,
    user: User,
    how: Annotated[Told, typer.Option(help="By letter or by telephone.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record that the referrer has been told of the decision; their clock stops (SLA-04)."""
    perform(
        at_console(lambda console: console.decision_maker.referrer_told(reference, how.value, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{enquiry.reference}: the referrer has been told by {how.value}.",
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
        writes_files=True,
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
    pdf: Annotated[Path | None, typer.Option(help="Write the handover pack as PDF here.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Hand over to the receiving service everything that may go there, and nothing else."""
    from adapters.la.console.exporting import hand_over_permitted

    perform(
        at_console(lambda console: hand_over_permitted(console, reference, service, user=user, pdf=pdf)),
        writes_files=pdf is not None,
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
    service: Annotated[str, typer.Option(help="Which service, where the item was handed to several.")] = "",
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record that a recipient of an item has seen its correction."""
    perform(
        at_console(
            lambda console: console.decision_maker.acknowledge_correction(
                reference, item, audience, user=user, service=service
            )
        ),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda _: f"The correction is acknowledged for {service or audience}.",
    )
