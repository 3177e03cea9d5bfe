"""`mash phone`: telephone calls around a request (SLA-02, RSP-09)."""

from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, Reference, User, at_console, perform

app = typer.Typer(
    no_args_is_help=True, help="Write down telephone calls: the ones we owe, and answers given by telephone."
)

Participant = Annotated[str, typer.Argument(help="The agency's directory id, e.g. testford-health.")]


@app.command()
def made(
    reference: Reference,
    participant: Participant,
    user: User,
    outcome: Annotated[str, typer.Option(help="Who was reached and what was agreed, or that nobody was.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Log the call that an urgent request asks for."""
    perform(
        at_console(lambda console: console.coordinator.record_call(reference, participant, outcome, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{sum(one.made_at is None for one in enquiry.prompts)} calls are still to be made.",
    )


@app.command()
def record(
    reference: Reference,
    participant: Participant,
    user: User,
    speaker: Annotated[str, typer.Option(help="Who spoke.")],
    speaker_role: Annotated[str, typer.Option(help="In which role.")],
    telephone: Annotated[str, typer.Option(help="On which number, from the register.")],
    said: Annotated[str, typer.Option(help="What was said.")],
    subject: Annotated[list[str], typer.Option(help="The key of a person it is about; repeat it.")],
    nature: Annotated[str, typer.Option(help="fact, professional_opinion, allegation, ...")] = "fact",
    called_back: Annotated[bool, typer.Option(help="You rang back on a number from the register.")] = False,
    not_overheard: Annotated[bool, typer.Option(help="Nobody could overhear the call.")] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record an answer that an agency gave by telephone; it is confirmed in writing afterwards."""
    from adapters.la.console.decision import Spoken

    spoken = Spoken(
        speaker=speaker,
        speaker_role=speaker_role,
        telephone=telephone,
        said=said,
        nature=nature,
        subjects=tuple(subject),
        call_back_verified=called_back,
        not_overheard=not_overheard,
    )
    perform(
        at_console(
            lambda console: console.decision_maker.record_phone_answer(reference, participant, spoken, user=user)
        ),
        home=home,
        as_json=as_json,
        schema="mash.arrived.v1",
        show=lambda _: f"The answer of {participant} by telephone is recorded.",
    )
