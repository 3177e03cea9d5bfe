"""A council and a housing service under a signed directory, at the command line: what evidence is made of.

The registrar's keys lie in separate files; records are handed in, signed, published and fetched as on a real day.
"""

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from adapters.cli.lawful_form import form_text, read_notes
from adapters.kit.running.adapter import Adapter
from adapters.kit.running.settings import load_settings
from deploy.demo.agencies import AGENCIES, COUNCIL
from deploy.demo.area import FORM, make_homes
from deploy.demo.lawful import written
from schemas import base64url
from schemas.directory import AgencyRecord, Directory
from schemas.fingerprint import fingerprint
from schemas.members import Member, Members
from tests.integration.commands.office import HOUSING
from tests.integration.commands.program import Ran, mash
from tests.support.registry import REGISTRAR_KEYS, Registry

TEN_YEARS_ON = Path(__file__).parents[2] / "support" / "ten_years_on"
TWO = [agency for agency in AGENCIES if agency.participant in (COUNCIL, HOUSING)]
MANAGER, HOUSING_LEAD = "p-example", "housing-lead"


@dataclass(frozen=True)
class SignedArea:
    """Two homes, and the registrar's root that both of them pinned."""

    folder: Path
    root: Path

    def at_council(self, *arguments: str) -> Ran:
        """Let the manager run a command that has to succeed."""
        return _done(mash(*arguments, home=self.folder / COUNCIL, user=MANAGER))

    def at_housing(self, *arguments: str) -> Ran:
        """Let housing run a command that has to succeed."""
        return _done(mash(*arguments, home=self.folder / HOUSING, user=HOUSING_LEAD))

    def round(self) -> str:
        """Ask, answer, receive the answer; gives the request's reference."""
        ask = ("enquiry", "choose", "ENQ-1", HOUSING, "--rationale", "their tenants", "--public-task")
        self.at_council("enquiry", "new", "ENQ-1", str(FORM))
        self.at_council(*ask)
        self.at_council("enquiry", "rate", "ENQ-1", "AMBER", "--rationale", "reported by the school")
        self.at_council("enquiry", "issue", "ENQ-1")
        self.at_council("run", "--once")
        self.at_housing("run", "--once")
        rfi = str(self.at_housing("inbox", "list", "--json").json["items"][0]["rfi"])
        self._answer(rfi)
        self.at_housing("run", "--once")
        self.at_council("run", "--once")
        self.at_housing("run", "--once")
        return rfi

    def _answer(self, rfi: str) -> None:
        standing = self.at_housing("respond", "propose", rfi, "--json").json
        for record in standing["records"]:
            for role in record["approvals_needed"]:
                self.at_housing("respond", "approve", rfi, record["record"], "--role", role)
        judge = ("--level", "3", "--best-placed", "housing", "--analysis", "arrears and complaints")
        self.at_housing("respond", "judge", rfi, *judge)
        form = self.folder / "form.yaml"
        form.write_text(self.at_housing("respond", "form", rfi).out, "utf-8")
        form.write_text(form_text(rfi, written(read_notes(form))), "utf-8")
        self.at_housing("respond", "record", rfi, str(form))
        self.at_housing("respond", "send", rfi)


def _done(ran: Ran) -> Ran:
    assert ran.code == 0, ran
    return ran


def offline(*arguments: str, folder: Path) -> Ran:
    """Run `mash` ten years on, with no home, no user and no network, in an empty folder."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TEN_YEARS_ON), "TERM": "dumb", "COLUMNS": "100"}
    program = [str(Path(sys.executable).with_name("mash")), *arguments]
    done = subprocess.run(
        program, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return Ran(arguments, done.returncode, done.stdout, done.stderr)


def make_signed_area(folder: Path) -> SignedArea:
    """Make the homes, enrol both agencies, and let each pin the root and fetch the directory."""
    now = datetime.now(UTC)
    published = make_homes(folder, hub="embedded:../hub.db", now=now, agencies=TWO, ahead=timedelta(days=14))
    asyncio.run(_prepare_stores(folder, published))
    (folder / "registrar").mkdir()
    registry = Registry(folder / "registrar", now=now)
    registry.stage(_members(published), now=now, signers=REGISTRAR_KEYS[1:])
    for name in published.records:
        settings = folder / name / "adapter.toml"
        signed = f'directory = "directory"\ndirectory_source = "{registry.source}"'
        settings.write_text(re.sub(r'^directory = ".*"$', signed, settings.read_text("utf-8"), flags=re.MULTILINE))
        _done(mash("directory", "publish-record", "--to", str(registry.repository.incoming), home=folder / name))
    registry.publish(now)
    root = registry.folder / "metadata" / "1.root.json"
    for name in published.records:
        _done(mash("directory", "pin", str(root), "--fingerprint", read_out(root), home=folder / name))
        _done(mash("directory", "refresh", "--from", registry.source, home=folder / name))
    return SignedArea(folder, root)


async def _prepare_stores(folder: Path, directory: Directory) -> None:
    for participant in directory.records:
        async with Adapter.opened(load_settings(folder / participant), directory=lambda: directory, exclusive=True):
            pass


def read_out(root: Path) -> str:
    """Give the fingerprint of a root as the registrar reads it over the telephone."""
    return fingerprint(base64url.encode(sha256(root.read_bytes()).digest()))


def _members(published: Directory) -> Members:
    members = tuple(member_of(record) for record in published.records.values())
    return Members(members=members, pairs=tuple(published.pairs.values()))


def member_of(record: AgencyRecord) -> Member:
    """Give the registrar's entry of an agency, as two people make it who have compared the fingerprint."""
    return Member(
        participant=record.participant,
        kind=record.kind,
        name=record.name,
        identity=record.identity,
        fingerprint=fingerprint(record.identity),
        checked_by=("registrar-1", "registrar-2"),
    )
