"""`mash-hub enrol|suspend|leave|reinstate`: the acts that follow the decisions of `broker.enrolment`.

    enrol PARTICIPANT ...   list an agency; once its dossier has everything, approve its certificate and give it pairs
    suspend PARTICIPANT     put it out; with --management its account is shut and its connections are cut at once
    leave PARTICIPANT       give notice (28 days); after it has run out, end its part: pairs gone, keys revoked
    reinstate PARTICIPANT   take it back

Each stages a new version of the members, which the registrar's two keys sign (`mash-hub directory sign`), the hub
publishes (`mash-hub directory publish`) and `mash-hub apply` makes true at the broker. Where an agency stands is kept
in the register, a folder of the operator's. Ends with 1 and the requirement numbers where a step is refused.
"""

import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from broker.directory.client import DirectoryClient, NoDirectory
from broker.directory.repository import Repository
from broker.enrolment import (
    Act,
    Dossier,
    Obstacle,
    Refused,
    Standing,
    State,
    departed,
    obstacles,
    put_out,
    step,
    unentitled,
    with_member,
    with_pairs,
)
from broker.enrolment_register import Register, UnknownAgency
from broker.errors import HubError
from broker.management import Management, apply, open_management, read_state
from broker.members_staged import members_of
from broker.operate import ACCOUNTS, Vhost
from broker.provision import Action, Change, Kind, desired_state, plan
from broker.topology import Topology
from schemas.members import Member, Members
from schemas.routing import Lane, ingress_exchange, routing_key

Participant = Annotated[str, typer.Argument(help="The agency's id.")]
RegisterFolder = Annotated[Path, typer.Option("--register", help="The operator's folder of standings and dossiers.")]
RepositoryFolder = Annotated[Path, typer.Option("--repository", exists=True, help="The directory's repository.")]


class _No(Exception):
    """A step is refused."""

    def __init__(self, reasons: tuple[Obstacle, ...]) -> None:
        self.reasons = reasons
        super().__init__()


def enrol(
    participant: Participant,
    register: RegisterFolder,
    repository: RepositoryFolder,
    member: Annotated[Path, typer.Option(exists=True, help="TOML: the agency's entry, checked by two people.")],
    dossier: Annotated[Path | None, typer.Option(exists=True, help="TOML: what GOV-01 to GOV-18 ask for.")] = None,
    partner: Annotated[
        list[str] | None, typer.Option(help="Who it may write to and hear from; once a partner.")
    ] = None,
    authority: Annotated[Path | None, typer.Option(exists=True, help="The folder of the certificates.")] = None,
    request: Annotated[
        Path | None, typer.Option(exists=True, help="Its certificate request (.csr); the certificate is put beside it.")
    ] = None,
) -> None:
    """List an agency, and admit it once nothing is missing. Listed alone it reaches nobody."""
    with _saying_no():
        book, members = Register(register), members_of(repository)
        entry = Member.model_validate_json(_json_of(member))
        if entry.participant != participant:
            raise ValueError("the entry names another agency")
        standing = book.find(participant) or Standing(participant=participant, since=_today())
        held = Dossier.from_plain(tomllib.loads(dossier.read_text("utf-8"))) if dossier else Dossier()
        members = with_member(members, entry)
        admitted, missing = _admitted(standing, held)
        if admitted.state is State.ACTIVE:
            if not (authority and request and partner):
                raise ValueError("to admit it, name --authority, --request and a --partner")
            members = with_pairs(members, participant, partners=partner)
            _refuse_the_unentitled(members, (*book.all(), admitted))
            _approve(authority, participant, request=request)
        _stage(repository, members, (*book.all(), admitted))
        book.keep(admitted, held)
    _report(admitted, missing)


def suspend(
    participant: Participant,
    register: RegisterFolder,
    repository: RepositoryFolder,
    directory: Annotated[Path | None, typer.Option(exists=True, help="The folder of the verified directory.")] = None,
    management: Annotated[
        str | None, typer.Option(envvar="MASH_HUB_MANAGEMENT", help="Cut it off at the broker now, before signatures.")
    ] = None,
    vhost: Vhost = "mash",
) -> None:
    """Put an agency out. What waits for it goes on waiting; it neither writes nor reads."""
    with _saying_no():
        if directory is not None and management is not None:  # first, for it must not wait for paper
            cut_off_now(participant, directory=directory, management=management, vhost=vhost)
        standing = _step(Register(register), participant, Act.SUSPEND)
        members = put_out(members_of(repository), participant, at=_seconds())
        _finish(register, repository, standing, members)


def reinstate(participant: Participant, register: RegisterFolder, repository: RepositoryFolder) -> None:
    """Take a suspended agency back, if nothing is missing; a notice that it had given goes on."""
    with _saying_no():
        standing = _step(Register(register), participant, Act.REINSTATE)
        _finish(register, repository, standing, put_out(members_of(repository), participant, at=None))


def leave(participant: Participant, register: RegisterFolder, repository: RepositoryFolder) -> None:
    """Give notice; once 28 days have run out, the same command ends the agency's part (GOV-10, GOV-11).

    Until then everything works. Afterwards `mash-hub apply` moves what it never read to the dead letters and deletes
    its queues, and each adapter tells its own users whose requests were in flight.
    """
    with _saying_no():
        book, members = Register(register), members_of(repository)
        given = book.standing(participant).leaves_on is not None
        standing = _step(book, participant, Act.LEAVE if given else Act.GIVE_NOTICE)
        if standing.state is State.LEFT:
            members = departed(members, participant, at=_seconds())
        _finish(register, repository, standing, members)


def cut_off_now(participant: str, *, directory: Path, management: str, vhost: str) -> None:
    """Shut an agency's account and close its connections, ahead of the signed directory; nothing else is touched.

    Raises `HubError` and `NoDirectory`.
    """
    current = DirectoryClient(directory).current()
    topology = Topology.of(replace(current, suspended=current.suspended | {participant}))

    async def run() -> None:
        async with open_management(management, vhost=vhost) as broker:
            await _shut(broker, topology, participant)

    asyncio.run(run())


async def _shut(broker: Management, topology: Topology, participant: str) -> None:
    changes = plan(desired_state(topology, accounts=ACCOUNTS), await read_state(broker))
    await apply(broker, [each for each in changes if _shuts(each, participant)])


def _shuts(change: Change, participant: str) -> bool:
    """Say whether a change takes something from the participant: its permissions, and ways from it and to it.

    The ways to it include the monitor's taps: one left alone would make a message that nobody gets look delivered.
    """
    kind, name = change.item.kind, change.item.name
    if kind is Kind.PERMISSION:
        return name == (participant,)
    ways = {routing_key(participant, lane) for lane in Lane}
    going = kind is Kind.BINDING and change.action is Action.DELETE
    return going and (name[0] == ingress_exchange(participant) or name[2] in ways)


def _admitted(standing: Standing, held: Dossier) -> tuple[Standing, tuple[Obstacle, ...]]:
    """Go as far as the dossier carries: listed, signed, active."""
    missing = obstacles(held, today=_today())
    if standing.state not in (State.LISTED, State.SIGNED):
        raise _No((Obstacle("GOV-01", f"it is {standing.state} already"),))
    for act in (Act.SIGN, Act.ACTIVATE) if standing.state is State.LISTED else (Act.ACTIVATE,):
        further = step(standing, act, dossier=held, today=_today())
        if isinstance(further, Refused):
            return standing, missing
        standing = further
    return standing, missing


def _step(book: Register, participant: str, act: Act) -> Standing:
    decided = step(book.standing(participant), act, dossier=book.dossier(participant), today=_today())
    if isinstance(decided, Refused):
        raise _No(decided.reasons)
    return decided


def _finish(register: Path, repository: Path, standing: Standing, members: Members) -> None:
    book = Register(register)
    _stage(repository, members, (*book.all(), standing))
    book.keep(standing, book.dossier(standing.participant))
    _report(standing, ())


def _stage(repository: Path, members: Members, standings: tuple[Standing, ...]) -> None:
    _refuse_the_unentitled(members, standings)
    staged = Repository(repository).stage_members(members, now=datetime.now(UTC))
    typer.echo(f"have {staged} signed by the registrar's threshold, publish it, and run mash-hub apply")


def _refuse_the_unentitled(members: Members, standings: tuple[Standing, ...]) -> None:
    latest = {each.participant: each for each in standings}
    wrong = unentitled(members, latest.values())
    if wrong:
        raise _No(tuple(Obstacle("GOV-01", f"{name} has a pair and is no active signatory") for name in wrong))


def _approve(folder: Path, participant: str, *, request: Path) -> None:
    # Only where the authority's key is, off every server: the hub's image has neither this module nor the key.
    from deploy.rabbitmq.certificates import Authority

    approved = Authority(folder).approve(request.read_bytes(), participant=participant, now=datetime.now(UTC))
    request.with_suffix(".pem").write_bytes(approved)


def _json_of(path: Path) -> str:
    return json.dumps(tomllib.loads(path.read_text("utf-8")))


def _today() -> date:
    return datetime.now(UTC).date()


def _seconds() -> int:
    return int(datetime.now(UTC).timestamp())


def _report(standing: Standing, missing: tuple[Obstacle, ...]) -> None:
    until = f", leaves on {standing.leaves_on}" if standing.leaves_on else ""
    typer.echo(f"{standing.participant} is {standing.state} since {standing.since}{until}")
    for each in missing:
        typer.echo(f"{each.requirement}: {each.sentence}{'' if each.blocks else ' (warning)'}", err=True)
    if any(each.blocks for each in missing):
        raise typer.Exit(1)


@contextmanager
def _saying_no() -> Iterator[None]:
    try:
        yield
    except _No as no:
        reasons = [f"{each.requirement}: {each.sentence}" for each in no.reasons]
    except ValidationError as wrong:
        reasons = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong.errors(include_input=False)]
    except (ValueError, OSError, HubError, NoDirectory, UnknownAgency, ModuleNotFoundError) as fault:
        reasons = [str(fault) or type(fault).__name__]
    else:
        return
    for reason in reasons:
        print(f"mash-hub: {reason}", file=sys.stderr)  # noqa: T201  # standard error is where a program says no
    raise typer.Exit(1)
