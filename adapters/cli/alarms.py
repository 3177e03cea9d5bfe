"""`mash alarms`: what this adapter has raised for people: clocks that have rung, messages missing, receipts refused.

An alarm names references, a rating and the posts to call, and nothing about a person; it stands until its cause is over
or somebody says that it is dealt with.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, perform

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter
    from adapters.kit.store.alarms import Alarm

app = typer.Typer(help="See which clocks have rung and what else needs a person.", no_args_is_help=True)


@app.command("list")
def show(home: Home = HERE, as_json: AsJson = False) -> None:
    """Show the alarms that nobody has dealt with, oldest first."""

    async def standing(adapter: "Adapter") -> "list[Alarm]":
        async with adapter.store.snapshot() as view:
            return await view.alarms()

    perform(standing, home=home, as_json=as_json, schema="mash.alarms.v1", show=_lines, plain=_plain)


@app.command()
def done(
    alarm: Annotated[str, typer.Argument(help="The alarm's name, as `mash alarms list` shows it.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Say that an alarm has been dealt with. It is written down who says so."""

    async def clear(adapter: "Adapter") -> "list[Alarm]":
        from adapters.kit.refusal import refuse_if

        adapter.settings.users.find(user)
        async with adapter.store.transaction() as tx:
            known = {one.alarm_id for one in await tx.alarms()}
            refuse_if([] if alarm in known else ["no such alarm stands; `mash alarms list` shows those that do"])
            await tx.record("alarm dealt with", refs={"alarm": alarm, "user": user})
            await tx.mark_alarm(alarm, cleared=True)
            return await tx.alarms()

    perform(clear, home=home, as_json=as_json, schema="mash.alarms.v1", show=_lines, plain=_plain)


def _lines(alarms: "list[Alarm]") -> str:
    from adapters.la.console.legible import moment

    lines = [f"{one.priority}  {moment(one.at)}  {one.code}  {_said(one)}\n    {one.alarm_id}" for one in alarms]
    return "\n".join(lines) or "No alarm stands."


def _said(alarm: "Alarm") -> str:
    return ", ".join(f"{name} {value}" for name, value in alarm.refs.items() if value and name != "clock")


def _plain(alarms: "list[Alarm]") -> list[dict[str, object]]:
    return [
        {"alarm": one.alarm_id, "at": one.at, "priority": one.priority.value, "code": one.code, "refs": dict(one.refs)}
        for one in alarms
    ]
