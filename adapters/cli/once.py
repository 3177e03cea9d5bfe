"""A call of `mash` under a client key: done once, answered alike however often it is asked (C02).

What makes two calls the same is their words, their user, and the content of the files that they name; the same key for
another call is refused. What was printed is kept sealed with what was done, in one transaction.
"""

import asyncio
import io
import os
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

from adapters.cli.frame import CLIENT_KEY, or_refuse
from adapters.kit.refusal import refuse_if
from adapters.kit.running.adapter import Adapter
from adapters.kit.running.partners import partners_of
from adapters.kit.running.settings import load_settings
from adapters.kit.store.once import CommandStore

T = TypeVar("T")
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{8,100}", re.ASCII)


def perform_once(
    action: Callable[[Adapter], Awaitable[T]], say: Callable[[T], None], *, home: Path, refused: bool
) -> None:
    """Do `action` and print what `say` makes of it, or print again what was printed then."""
    key = os.environ[CLIENT_KEY]
    request = _this_call()

    async def session() -> bytes:
        refuse_if([f"{CLIENT_KEY}: this command writes files and takes no client key"] if refused else [])
        refuse_if([] if _KEY.fullmatch(key) else [f"{CLIENT_KEY}: 8 to 100 of letters, digits and . _ : -"])
        settings = load_settings(home)
        opening = Adapter.opened(settings, directory=partners_of(settings).current, stores=CommandStore)
        async with opening as adapter:
            store = adapter.store
            assert isinstance(store, CommandStore)  # noqa: S101 - for the type checker

            async def work() -> bytes:
                with redirect_stdout(io.StringIO()) as printed:
                    say(await action(adapter))
                return printed.getvalue().encode()

            return await store.once(f"cli/{key}", request=request, work=work, user=_user())

    sys.stdout.write(or_refuse(lambda: asyncio.run(session())).decode())


def _user() -> str:
    """Say in whose name this call is; it is one of those whose words make the call the same."""
    words = sys.argv[1:]
    named = [after for word, after in pairwise(words) if word == "--user"]
    named += [word.removeprefix("--user=") for word in words if word.startswith("--user=")]
    return named[-1] if named else os.environ.get("MASH_USER", "")


def _this_call() -> bytes:
    """Give a digest of the words, the user, and what the named files say."""
    digest = sha256(os.environ.get("MASH_USER", "").encode())
    for word in sys.argv[1:]:
        file = Path(word)
        digest.update(b"\0" + word.encode() + b"\0" + (sha256(file.read_bytes()).digest() if file.is_file() else b""))
    return digest.digest()
