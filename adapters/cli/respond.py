"""`mash respond`: look the family up, approve, word or withhold each record, judge, and send."""

from typing import Annotated

import typer

from adapters.cli import lawful
from adapters.cli.frame import HERE, AsJson, Home, User, perform

app = typer.Typer(no_args_is_help=True, help="Answer a request: rules propose, you decide, nothing leaves by itself.")
app.add_typer(lawful.app)

Rfi = Annotated[str, typer.Argument(help="The request's reference, from `mash inbox list`.")]
RecordId = Annotated[str, typer.Argument(help="The record's id, from `mash respond propose`.")]


@app.command()
def propose(
    rfi: Rfi,
    user: User,
    source: Annotated[
        list[str] | None, typer.Option(help="Look only in this source (health: gp, acute, ...); repeat it.")
    ] = None,
    accept_unread: Annotated[
        bool, typer.Option(help="Answer without what could not be read; your name is recorded with that.")
    ] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Look the family up in our own records, and show what the rules say of each record."""
    from adapters.cli.proposal_view import proposal_plain, proposal_text

    perform(
        lambda adapter: adapter.desk.propose(
            rfi, user=user, sources=frozenset(source) if source else None, accept_unread=accept_unread
        ),
        home=home,
        as_json=as_json,
        schema="mash.proposal.v1",
        show=proposal_text,
        plain=proposal_plain,
    )


@app.command()
def standing(rfi: Rfi, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Show the proposal again as it stands, without another look-up."""
    from adapters.cli.proposal_view import proposal_plain, proposal_text

    perform(
        lambda adapter: adapter.desk.standing(rfi, user=user),
        home=home,
        as_json=as_json,
        schema="mash.proposal.v1",
        show=proposal_text,
        plain=proposal_plain,
    )


@app.command("ask-source")
def ask_source(
    rfi: Rfi,
    source: Annotated[str, typer.Argument(help="Whom you asked in turn: gp, health_visiting, school, ...")],
    user: User,
    due: Annotated[str | None, typer.Option(help="Until when it has to answer; else before your own due time.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record that you asked a source of your own sector. An answer may go before it replies, and names it as owed."""
    from adapters.cli.times import moment_given

    due_at = moment_given(due, option="--due")
    perform(
        lambda adapter: adapter.desk.ask_source(rfi, source, user=user, due_at=due_at),
        home=home,
        as_json=as_json,
        schema="mash.request.v1",
        show=lambda file: f"Still owed to {rfi}: {', '.join(one.source for one in file.outstanding())}.",
    )


@app.command("source-answered")
def source_answered(
    rfi: Rfi,
    source: Annotated[str, typer.Argument(help="Who has answered you.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record that a source of your own sector has answered you; then look again with `propose`."""
    perform(
        lambda adapter: adapter.desk.source_answered(rfi, source, user=user),
        home=home,
        as_json=as_json,
        schema="mash.request.v1",
        show=lambda file: f"Still owed to {rfi}: {', '.join(one.source for one in file.outstanding()) or 'nothing'}.",
    )


@app.command()
def approve(
    rfi: Rfi,
    record: RecordId,
    user: User,
    role: Annotated[str, typer.Option(help="The role in which you approve; you must hold it.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Approve one record as it is worded now."""
    from adapters.cli.proposal_view import proposal_plain, proposal_text

    perform(
        lambda adapter: adapter.desk.approve(rfi, record, role=role, user=user),
        home=home,
        as_json=as_json,
        schema="mash.proposal.v1",
        show=proposal_text,
        plain=proposal_plain,
    )


@app.command()
def summarise(
    rfi: Rfi,
    record: RecordId,
    user: User,
    wording: Annotated[str, typer.Option(help="What leaves instead of the text.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Word a record for release. Approvals of an earlier wording no longer count."""
    from adapters.cli.proposal_view import proposal_plain, proposal_text

    perform(
        lambda adapter: adapter.desk.summarise(rfi, record, wording=wording, user=user),
        home=home,
        as_json=as_json,
        schema="mash.proposal.v1",
        show=proposal_text,
        plain=proposal_plain,
    )


@app.command()
def withhold(
    rfi: Rfi,
    record: RecordId,
    user: User,
    ground: Annotated[str, typer.Option(help="A reason code, for example MORE_DETRIMENTAL_TO_CHILD.")],
    note: Annotated[str, typer.Option(help="Why, in your own words.")] = "",
    if_shared: Annotated[str | None, typer.Option(help="What may happen if it is shared (LAW-30).")] = None,
    if_not_shared: Annotated[str | None, typer.Option(help="What may happen if it is not; the child first.")] = None,
    rests_on: Annotated[
        str | None, typer.Option(help="Under the 2026 duty: more_detrimental_to_child or legal_restriction.")
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Withhold a record on your professional judgement, with its ground."""
    from adapters.cli.proposal_view import proposal_plain, proposal_text
    from schemas.content.lawfulness import RecordNotes, Weighing

    both = bool(if_shared and if_not_shared)
    weighing = Weighing(if_shared=if_shared, if_not_shared=if_not_shared, child_first=both) if both else None
    notes = RecordNotes(weighing=weighing, rests_on=rests_on)
    perform(
        lambda adapter: adapter.desk.withhold(rfi, record, ground=ground, note=note, user=user, notes=notes),
        home=home,
        as_json=as_json,
        schema="mash.proposal.v1",
        show=proposal_text,
        plain=proposal_plain,
    )


@app.command()
def judge(
    rfi: Rfi,
    user: User,
    level: Annotated[str, typer.Option(help="The level of need, 1 to 4, or a range such as 2-3.")],
    best_placed: Annotated[str, typer.Option(help="The agency best placed to help.")],
    analysis: Annotated[str, typer.Option(help="Risk, harm and need as you see them.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Record your agency's professional judgement; an answer about somebody who was found needs one."""
    from adapters.cli.frame import or_refuse
    from schemas.content.response import Judgement

    judgement = or_refuse(
        lambda: Judgement.from_plain({"level_of_need": level, "best_placed": best_placed, "analysis": analysis})
    )
    perform(
        lambda adapter: adapter.desk.judge(rfi, judgement, user=user),
        home=home,
        as_json=as_json,
        schema="mash.request.v1",
        show=lambda file: f"The judgement on {file.rfi.rfi} is recorded: level of need {level}.",
    )


@app.command()
def send(rfi: Rfi, user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Send the answer. The rules are asked once more; refused with everything that is still missing."""
    from adapters.cli.proposal_view import sent_text

    perform(
        lambda adapter: adapter.desk.send(rfi, user=user),
        home=home,
        as_json=as_json,
        schema="mash.response.v1",
        show=sent_text,
    )


@app.command()
def correct(
    rfi: Rfi,
    record: RecordId,
    user: User,
    wording: Annotated[str, typer.Option(help="What it should have said.")],
    what_was_wrong: Annotated[str, typer.Option(help="What was wrong.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Correct something that was sent; everyone who received it is told and has to acknowledge."""
    perform(
        lambda adapter: adapter.desk.correct(rfi, record, wording=wording, what_was_wrong=what_was_wrong, user=user),
        home=home,
        as_json=as_json,
        schema="mash.correction.v1",
        show=lambda correction: f"The correction of {record} is on its way as {correction.item}.",
    )
