"""Runs a folder of vectors, ours or another implementation's, through the checks of this one.

A vector is one JSON file with an envelope, the circumstances of its delivery and the code it must lead to: "OK",
or the first check that fails. Beside the vectors lie `directory.json` and `keys.json`, with keys made for the purpose.
A folder that is empty or lacks one of these is an error, not a success.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from adapters.kit.envelope.sealing import Section
from adapters.kit.envelope.verification import Arrival, Opened, Refusal, check_arrival, open_arrival
from adapters.kit.keys.in_use import PrekeyInHand, RecipientKeys, RoleInHand
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.directory import AgencyRecord, Directory, Pair, Past
from schemas.receipt import parse_receipt
from schemas.routing import Lane
from schemas.stub import Event

DIRECTORY_FILE: Final = "directory.json"
KEYS_FILE: Final = "keys.json"
ACCEPTED: Final = "OK"


class NoVectors(Exception):
    """The folder holds no vectors, or lacks directory.json or keys.json."""


@dataclass(frozen=True)
class Verdict:
    """What one file led to, beside what it should have led to."""

    name: str
    expected: str
    found: str
    detail: str

    @property
    def holds(self) -> bool:
        """Say whether the file led where it should."""
        return self.expected == self.found


@dataclass(frozen=True, repr=False)
class World:
    """What all vectors of a folder share."""

    directory: Directory
    keys: RecipientKeys

    def only(self, roles: frozenset[str]) -> RecipientKeys:
        """Give the keys of some roles."""
        kept = {number: role for number, role in self.keys.roles.items() if role.name in roles}
        prekeys = {number: prekey for number, prekey in self.keys.prekeys.items() if prekey.role_id in kept}
        return RecipientKeys(self.keys.participant, kept, prekeys)


def _raw(text: str) -> bytes:
    raw = base64url.decode(text)
    if raw is None:
        raise NoVectors("not base64url")
    return raw


def read_directory(plain: Mapping[str, Any]) -> Directory:
    """Read a directory from its published JSON and the versions before it."""
    records = (AgencyRecord.model_validate_json(json.dumps(record)) for record in plain["records"].values())
    pairs = TypeAdapter(list[Pair]).validate_json(json.dumps(plain["pairs"]))
    history = TypeAdapter(list[Past]).validate_json(json.dumps(plain["history"]))
    return Directory.build(plain["version"], records, pairs, suspended=plain["suspended"], history=history)


def _keys(plain: Mapping[str, Any]) -> RecipientKeys:
    roles = {_raw(number): RoleInHand(role["name"], tuple(role["opens"])) for number, role in plain["roles"].items()}
    prekeys = {
        _raw(number): PrekeyInHand.load(
            _raw(one["role"]),
            secret=SecretBytes(_raw(one["private"])),
            not_before=one["not_before"],
            not_after=one["not_after"],
        )
        for number, one in plain["prekeys"].items()
    }
    return RecipientKeys(plain["participant"], roles, prekeys)


def load_world(folder: Path) -> World:
    """Read what the vectors of a folder share. Raises `NoVectors`."""
    try:
        directory = read_directory(json.loads((folder / DIRECTORY_FILE).read_bytes()))
        return World(directory, _keys(json.loads((folder / KEYS_FILE).read_bytes())))
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise NoVectors(str(folder)) from broken


def body_of(vector: Mapping[str, Any]) -> bytes:
    """Give the bytes of a vector; `zeros` says how many follow, so that a large file need not be stored."""
    return _raw(vector["body"]) + bytes(vector.get("zeros", 0))


def _run(vector: Mapping[str, Any], *, world: World) -> tuple[Arrival | Opened | Refusal, Arrival | None]:
    arrival = check_arrival(
        body_of(vector),
        me=world.keys.participant,
        ingress_owner=vector["ingress_owner"],
        lane=Lane(vector["lane"]),
        has_cc=vector["has_cc"],
        directory=world.directory,
        now=datetime.fromtimestamp(vector["now"], UTC),
    )
    if isinstance(arrival, Refusal):
        return arrival, None
    keys = world.only(frozenset(vector["roles"]))
    return open_arrival(arrival, keys=keys, directory=world.directory), arrival


def _meaning(opened: Opened, arrival: Arrival) -> str:
    """E23, as far as the envelope's own content goes: a receipt must hold one."""
    if arrival.stub.event is not Event.RECEIPT:
        return ACCEPTED
    return ACCEPTED if parse_receipt(opened.sections.get(Section.TEAM, b"")) else "E23"


def judge(name: str, vector: Mapping[str, Any], *, world: World) -> Verdict:
    """Run one vector: compare the code, the answer outside and, if it opens, the texts."""
    outcome, arrival = _run(vector, world=world)
    if isinstance(outcome, Refusal):
        answered = outcome.external == vector["answer"]
        return Verdict(name, vector["expect"], outcome.code if answered else "another answer", outcome.detail)
    if not isinstance(outcome, Opened) or arrival is None:
        raise TypeError("an envelope was neither opened nor refused")
    found = _meaning(outcome, arrival)
    texts = {section.value: base64url.encode(text) for section, text in outcome.sections.items()}
    if found == ACCEPTED and texts != vector.get("sections", texts):
        return Verdict(name, vector["expect"], "other texts", "")
    return Verdict(name, vector["expect"], found, "")


def run_folder(folder: Path) -> Iterator[Verdict]:
    """Run every vector of a folder, in the order of their names. Raises `NoVectors`."""
    world = load_world(folder)
    files = sorted(file for file in folder.glob("*.json") if file.name not in (DIRECTORY_FILE, KEYS_FILE))
    if not files:
        raise NoVectors(str(folder))
    for file in files:
        yield judge(file.stem, json.loads(file.read_bytes()), world=world)
