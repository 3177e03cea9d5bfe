"""What every command of `mash` has in common: whose adapter, which user, how the answer is shown, how it says no.

Exit codes: 0 done; 1 refused, with every reason on standard error; 2 wrong usage. With `--json` the answer on standard
output is one JSON object whose `schema` names its shape (`mash.<what>.v1`); refusals stay on standard error.
A program that calls `mash` may name each call in MASH_CLIENT_KEY (up to 100 characters, its own, never used again): the
same call under the same key does nothing and gives the same answer (C02), so that whoever heard no answer asks again.
Heavy modules are imported by the command that needs them, so that `mash --help` answers at once.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter
    from adapters.la.console.office import Console
    from schemas.content.base import Content

Home = Annotated[
    Path,
    typer.Option("--home", envvar="MASH_HOME", help="The adapter's folder, where adapter.toml is.", show_default=True),
]
User = Annotated[
    str, typer.Option("--user", envvar="MASH_USER", help="Who you are: a user of adapter.toml. It is written down.")
]
Reference = Annotated[str, typer.Argument(help="The enquiry's reference, for example ENQ-2026-000431.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object instead of text.")]
HERE = Path()
CLIENT_KEY = "MASH_CLIENT_KEY"

T = TypeVar("T")


def perform(
    action: "Callable[[Adapter], Awaitable[T]]",
    *,
    home: Path,
    as_json: bool,
    schema: str,
    show: Callable[[T], object],
    plain: Callable[[T], object] | None = None,
    writes_files: bool = False,
) -> None:
    """Open the adapter, do one thing, show the answer. Exits with 1 where it is refused.

    `plain` gives what `--json` prints where that is not the answer itself. What `writes_files` takes no client key: a
    file is written when the ledger has it, and not before the commit that a key puts at the end.
    """
    import asyncio

    from adapters.kit.running.adapter import Adapter
    from adapters.kit.running.partners import partners_of
    from adapters.kit.running.settings import load_settings

    async def session() -> T:
        settings = load_settings(home)
        async with Adapter.opened(settings, directory=partners_of(settings).current) as adapter:
            return await action(adapter)

    def said(answer: T) -> None:
        if as_json:
            print_json(schema, plain(answer) if plain else answer)
        else:
            print_text(show(answer))

    if CLIENT_KEY in os.environ:
        from adapters.cli.once import perform_once

        perform_once(action, said, home=home, refused=writes_files)
    else:
        said(or_refuse(lambda: asyncio.run(session())))


def at_console(action: "Callable[[Console], Awaitable[T]]") -> "Callable[[Adapter], Awaitable[T]]":
    """Do something at the coordinator's console of the adapter. Refused where the adapter has none."""

    async def with_console(adapter: "Adapter") -> T:
        from adapters.kit.refusal import Refused
        from adapters.la.console.office import Console, console_of

        console: Console | None = console_of(adapter)
        if console is None:
            raise Refused(["this adapter has no coordinator's console: adapter.toml names no register_file"])
        return await action(console)

    return with_console


def or_refuse(step: Callable[[], T]) -> T:
    """Run a step; a refusal or a fault of the world is said on standard error, reason by reason, with exit code 1."""
    from adapters.cli.faults import reasons_of

    try:
        return step()
    except Exception as fault:
        reasons = reasons_of(fault)
        if reasons is None:
            raise
        for reason in reasons:
            print(f"mash: {reason}", file=sys.stderr)  # noqa: T201  # standard error is where a program says no
        raise typer.Exit(1) from None


def print_json(schema: str, answer: object) -> None:
    """Print one JSON object with its schema's name."""
    plain = {"schema": schema, **_plain(answer)}
    print(json.dumps(plain, ensure_ascii=False, default=_written))  # noqa: T201  # standard output is the answer


def print_text(shown: object) -> None:
    """Print text or a rich renderable for a person."""
    from rich.console import Console as Terminal

    terminal = Terminal(highlight=False, soft_wrap=isinstance(shown, str))
    terminal.print(shown, markup=False) if isinstance(shown, str) else terminal.print(shown)


def _plain(answer: object) -> dict[str, Any]:
    plain = _as_json(answer)
    return plain if isinstance(plain, dict) else {"items": plain}


def _written(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _as_json(answer: "Content | object") -> Any:
    if hasattr(answer, "model_dump"):
        return answer.model_dump(mode="json")
    if isinstance(answer, list | tuple):
        return [_as_json(one) for one in answer]
    return answer
