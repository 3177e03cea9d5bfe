"""`mash evidence`: write one file that proves a thread, and verify such a file, offline, with no adapter at all.

The file holds plaintext; it is written for its owner only and is to be handled as the case file is.
`verify` needs the root that was pinned when the messages were exchanged, and nothing else.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli import say
from adapters.cli.frame import HERE, AsJson, Home, User

if TYPE_CHECKING:
    from adapters.kit.evidence.bundle import Bundle
    from adapters.kit.evidence.findings import Finding
    from adapters.kit.running.adapter import Adapter

app = typer.Typer(help="Prove who asked and answered what, and when.", no_args_is_help=True)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="The id of a thread or a message, or a reference (ENQ-..., RFI-...).")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    user: User,
    section: Annotated[
        list[int], typer.Option(help="Sections to open besides the manifest: 1 team, 2 decision maker, 3 protected.")
    ] = [1],  # noqa: B006  # typer copies it, and shows it in the help
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the evidence of a thread. Without --section, the decision maker's and protected parts stay closed."""
    from adapters.cli.frame import perform
    from adapters.kit.evidence.bundle import write_bundle
    from adapters.kit.evidence.source import NothingHere
    from adapters.kit.keys.keyfile import write_private

    async def collect(adapter: "Adapter") -> dict[str, object]:
        bundle = await collected(adapter, name, sections=frozenset({0, *section}), user=user)
        write_private(out, write_bundle(bundle.exhibits, bundle.proofs, now=adapter.store.clock()))
        return {"file": str(out), "exhibits": len(bundle.exhibits), "proofs": len(bundle.proofs)}

    def written(said: dict[str, object]) -> str:
        return f"{said['exhibits']} exhibits written to {out}: verify it with `mash evidence verify`"

    with say.refusing(NothingHere):
        perform(collect, home=home, as_json=as_json, schema="mash.evidence.v1", show=written, writes_files=True)


async def collected(adapter: "Adapter", name: str, *, sections: frozenset[int], user: str) -> "Bundle":
    """Collect the exhibits under a name and the proofs of their signing keys; who did is in the ledger first (REC-05).

    Raises `NothingHere`, and `Refused` for somebody who is no user here.
    """
    from adapters.kit.envelope.verification import Arrival, Opened, Refusal, open_arrival
    from adapters.kit.evidence.bundle import Bundle, proofs_for
    from adapters.kit.evidence.source import exhibits
    from broker.directory.proof import Archive

    adapter.settings.users.find(user)
    now = adapter.store.clock()
    keys = adapter.keyring.recipient_keys([role.name for role in adapter.keyring.stored.roles], now)

    def opening(arrival: Arrival) -> Opened | Refusal:
        return open_arrival(arrival, keys=keys, directory=adapter.directory())

    names = await _threads_of(adapter, name) or [name]
    async with adapter.store.transaction() as tx:
        opened = ",".join(str(index) for index in sorted(sections))
        await tx.record("evidence exported", refs={"of": name, "sections": opened, "user": user})
        found = [one for each in names async for one in exhibits(tx, each, opening=opening, sections=sections)]
    archive = Archive(adapter.settings.path(adapter.settings.file.directory) / "archive")
    return Bundle(made_at=0, exhibits=tuple(found), proofs=tuple(proofs_for(found, archive)))


async def _threads_of(adapter: "Adapter", name: str) -> list[str]:
    """Give the threads of an enquiry or a request under its reference, whichever side of it this adapter is on."""
    from adapters.kit.desk import intake
    from adapters.kit.desk.request_file import RequestFile
    from adapters.kit.store.filing import read_all
    from adapters.la.console import workroom
    from adapters.la.console.enquiry import Enquiry

    async with adapter.store.snapshot() as view:
        asked = await read_all(view, Enquiry, workroom.KIND)
        files = await read_all(view, RequestFile, intake.KIND)
    issued = [one.thread for enquiry in asked for one in enquiry.issued if name in (enquiry.reference, one.rfi)]
    received = [file.thread for file in files if name in (file.rfi.enquiry, file.rfi.rfi)]
    return list(dict.fromkeys(issued + received))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, help="A bundle made by `mash evidence export`.")],
    root: Annotated[
        Path | None,
        typer.Option(exists=True, help="The root.json that was pinned. Without it, the one that this adapter pinned."),
    ] = None,
    texts: Annotated[Path | None, typer.Option(help="A new folder for the texts that are proved.")] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Say, exhibit by exhibit, what holds. Exit code 1 if anything does not."""
    from hashlib import sha256

    from adapters.kit.evidence.bundle import NoBundle, read_bundle
    from adapters.kit.evidence.findings import verify_bundle
    from schemas import base64url
    from schemas.fingerprint import fingerprint

    pinned = sha256((root or _own_root(home)).read_bytes()).digest()
    shown = fingerprint(base64url.encode(pinned))
    with say.refusing(NoBundle):
        bundle = read_bundle(file.read_bytes())
    findings = list(verify_bundle(bundle, pinned=pinned))
    holds = all(finding.holds for finding in findings)
    with say.refusing(FileExistsError):
        files = _write_texts(findings, texts) if texts and holds else []
    plain = {"root": shown, "holds": holds, "findings": [_plain(one) for one in findings], "texts": files}
    say.answer("mash.evidence-check.v1", plain, lines=_lines(shown, findings, files), as_json=as_json)
    if not holds:
        raise typer.Exit(1)


def _own_root(home: Path) -> Path:
    """Give the oldest root of the adapter in `home`: what it pinned, however often the root was replaced since."""
    from adapters.kit.running.settings import SettingsUnreadable, load_settings

    with say.refusing(SettingsUnreadable):
        settings = load_settings(home)
    kept = settings.path(settings.file.directory) / "metadata" / "root_history"
    roots = {int(file.name.partition(".")[0]): file for file in kept.glob("*.root.json")}
    if not roots:
        raise say.refuse("no root is pinned here: name the one that was with --root")
    return roots[min(roots)]


def _lines(root: str, findings: list["Finding"], files: list[str]) -> Iterator[str]:
    yield f"root {root}: compare it with what the registrar published"
    for finding in findings:
        yield f"{'holds' if finding.holds else 'FAILS'}  {finding.sentence}"
    for file in files:
        yield f"text   {file}"
    failed = sum(not finding.holds for finding in findings)
    yield f"{failed} of {len(findings)} exhibits FAIL" if failed else f"all {len(findings)} exhibits hold"


def _plain(finding: "Finding") -> dict[str, object]:
    said = finding.statement
    plain: dict[str, object] = {"holds": finding.holds, "sentence": finding.sentence}
    if said is None:
        return plain
    plain |= {"from": said.sender, "to": said.recipient, "event": said.event.value, "at": said.at, "mid": said.mid}
    plain |= {"thread": said.thread, "in_reply_to": said.in_reply_to, "stub": said.stub_hash, "user": said.user}
    receipt = None if said.receipt is None else said.receipt.model_dump(mode="json")
    return plain | {"role": said.role, "purpose": said.purpose, "sections": tuple(said.texts), "receipt": receipt}


def _write_texts(findings: list["Finding"], folder: Path) -> list[str]:
    """Write every proved text to a file of its own, for its owner only, numbered as the findings are."""
    from adapters.kit.keys.keyfile import write_private

    folder.mkdir(mode=0o700)
    files = []
    for number, said in enumerate((finding.statement for finding in findings), start=1):
        for section, text in said.texts.items() if said else ():
            place = folder / f"{number:02}-{said.sender}-{said.event.value}-{section}.json" if said else folder
            write_private(place, text)
            files.append(str(place))
    return files
