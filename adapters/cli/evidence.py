"""`mash evidence`: write one file that proves a thread, and verify such a file, offline, with no adapter at all.

The file holds plaintext; it is written for its owner only and is to be handled as the case file is.
`verify` needs the fingerprint of the root that was pinned when the messages were exchanged, and nothing else.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli import say
from adapters.cli.frame import HERE, Home

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter

app = typer.Typer(help="Prove who asked and answered what, and when.", no_args_is_help=True)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="A thread's or a message's id.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    section: Annotated[
        list[int], typer.Option(help="Sections to open besides the manifest: 1 team, 2 decision maker, 3 protected.")
    ] = [1],  # noqa: B006  # typer copies it, and shows it in the help
    home: Home = HERE,
) -> None:
    """Write the evidence of a thread. Without --section, the decision maker's and protected parts stay closed."""
    from adapters.cli.frame import perform

    async def collect(adapter: "Adapter") -> bytes:
        return await collected(adapter, name, sections=frozenset({0, *section}))

    def written(bundle: bytes) -> str:
        from adapters.kit.keys.keyfile import write_private

        write_private(out, bundle)
        return f"written to {out}: verify it with `mash evidence verify`"

    from adapters.kit.envelope.evidence_source import NothingHere

    with say.refusing(NothingHere):
        perform(collect, home=home, as_json=False, schema="mash.evidence.v1", show=written)


async def collected(adapter: "Adapter", name: str, *, sections: frozenset[int]) -> bytes:
    """Collect a thread's exhibits and the proofs of their signing keys. Raises `NothingHere`."""
    from adapters.kit.envelope.evidence import proofs_for, write_bundle
    from adapters.kit.envelope.evidence_source import exhibits
    from adapters.kit.envelope.verification import open_arrival
    from broker.directory_proof import Archive

    now = adapter.store.clock()
    keys = adapter.keyring.recipient_keys([role.name for role in adapter.keyring.stored.roles], now)
    async with adapter.store.snapshot() as tx:
        found = [
            exhibit
            async for exhibit in exhibits(
                tx,
                name,
                opening=lambda arrival: open_arrival(arrival, keys=keys, directory=adapter.directory()),
                sections=sections,
            )
        ]
    archive = Archive(adapter.settings.path(adapter.settings.file.directory) / "archive")
    return write_bundle(found, proofs_for(found, archive), now=now)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, help="A bundle made by `mash evidence export`.")],
    root: Annotated[Path, typer.Option(exists=True, help="The root.json that was pinned; its fingerprint is shown.")],
) -> None:
    """Say, exhibit by exhibit, what holds. Exit code 1 if anything does not."""
    from hashlib import sha256

    from adapters.kit.envelope.evidence import NoBundle, read_bundle, verify_bundle
    from schemas import base64url
    from schemas.fingerprint import fingerprint

    pinned = sha256(root.read_bytes()).digest()
    say.line(f"root {fingerprint(base64url.encode(pinned))}: compare it with what the registrar published")
    with say.refusing(NoBundle):
        bundle = read_bundle(file.read_bytes())
    findings = list(verify_bundle(bundle, pinned=pinned))
    for finding in findings:
        say.line(f"{'holds' if finding.holds else 'FAILS'}  {finding.sentence}")
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)
