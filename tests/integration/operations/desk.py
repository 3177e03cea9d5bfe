"""An operator's desk for tests: the registry's repository, the register, the certificates, and `mash-hub` itself."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner, Result

from broker.cli.main import build
from broker.directory.client import DirectoryClient
from deploy.rabbitmq.certificates import Authority, make_request
from tests.support.parties import make_party
from tests.support.registry import Registry, member_of
from tests.unit.enrolment.test_enrolment import COMPLETE

LA, POLICE, HEALTH = "testford-la", "testford-police", "testford-health"
NOW = datetime.now(UTC)


class Office:
    """An operator's desk: the registry's repository, the register, the certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = Registry(folder, now=NOW)
        self.parties = {name: make_party(name, kind=name.partition("-")[2], now=NOW) for name in (LA, POLICE, HEALTH)}
        self.authority = Authority.create(folder / "ca", now=NOW)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """Run `mash-hub`."""
        return CliRunner().invoke(build(arguments), list(arguments), env={"MASH_HUB_MANAGEMENT": None, **(env or {})})

    def enrol(self, name: str, *partners: str, signed: bool = True) -> Result:
        """Enrol an agency, with or without its signature."""
        _, request = make_request(name, folder=self.folder / f"{name}-{secrets.token_hex(4)}")
        dossier = {key: value for key, value in COMPLETE.items() if signed or key != "signature"}
        return self.run(
            "enrol", name, *self.places,
            "--member", str(self._toml(f"{name}.member", member_of(self.parties[name]).model_dump(mode="json"))),
            "--dossier", str(self._toml(f"{name}.dossier", dossier)),
            "--authority", str(self.authority.folder), "--request", str(request),
            *(word for partner in partners for word in ("--partner", partner)),
        )  # fmt: skip

    def certificates(self) -> list[str]:
        """Whom a certificate was made for."""
        return sorted(path.stem for path in self.folder.glob("testford-*/*.pem"))

    def publish(self, *names: str) -> DirectoryClient:
        """Let the registrar sign, the agencies hand in their records, and the hub publish."""
        self.registry.sign("targets", "registrar-1", "registrar-2")
        self.registry.submit(*(self.parties[name] for name in names), now=NOW)
        self.registry.publish(NOW)
        client = self.registry.client(f"reader-{secrets.token_hex(4)}")
        client.refresh(self.registry.source, now=NOW)
        return client

    @property
    def places(self) -> tuple[str, ...]:
        return ("--register", str(self.folder / "register"), "--repository", self.registry.source)

    def _toml(self, name: str, plain: dict[str, object]) -> Path:
        path = self.folder / f"{name}.toml"
        rows = [f"{key} = {_toml_value(value)}" for key, value in plain.items() if value is not None]
        path.write_text("\n".join(rows))
        return path


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str | list | tuple):
        return json.dumps(value)
    return str(value)
