"""How the commands about keys, directory and evidence speak: lines on standard output, a refusal on standard error.

An exception that is a plain "no" is said by its docstring and ends with exit code 1; its arguments, which are paths
and names of ours, follow. Anything else is a fault of ours and is not swallowed.
With `--json` the same answer is one object (SHAPES.md), also where exit code 1 says that somebody has to act.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import typer

from adapters.cli.frame import print_json


def line(text: str) -> None:
    """Say one line."""
    print(text)  # noqa: T201  # standard output is where a program answers


def answer(schema: str, plain: Mapping[str, object], *, lines: Iterable[str], as_json: bool) -> None:
    """Give an answer: as one object of the shape `schema`, or as lines for a person."""
    if as_json:
        print_json(schema, dict(plain))
        return
    for one in lines:
        line(one)


def refuse(reason: str) -> typer.Exit:
    """Say no; the caller raises what this gives."""
    print(f"mash: {reason}", file=sys.stderr)  # noqa: T201  # standard error is where a program says no
    return typer.Exit(1)


@contextmanager
def refusing(*plain: type[Exception]) -> Iterator[None]:
    """Turn these exceptions, and a missing file, into a refusal."""
    try:
        yield
    except FileNotFoundError as missing:
        raise refuse(f"there is no {missing.filename}") from None
    except plain as fault:
        meaning = " ".join((type(fault).__doc__ or type(fault).__name__).split())
        detail = f" ({fault})" if str(fault) else ""
        raise refuse(meaning + detail) from None
