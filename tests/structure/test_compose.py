"""The compose file against the compose specification: every word that it uses, and nothing that it does not know.

Closed models of the part of the specification that is used; a word outside of it has to be added here, by somebody who
has looked it up. The whole file was held against the specification's own JSON schema when these were written.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = Path(__file__).parents[2] / "deploy/compose/three-nodes.yaml"
Duration = Annotated[str, Field(pattern=r"^([0-9]+(us|ms|s|m|h))+$")]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]+$")]
Port = Annotated[str, Field(pattern=r"^([0-9.]+:)?[0-9]{1,5}:[0-9]{1,5}$")]
Mount = Annotated[str, Field(pattern=r"^[^:]+:/[^:]+(:ro)?$")]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Build(Closed):
    context: str
    dockerfile: str


class HealthCheck(Closed):
    test: list[str]
    interval: Duration
    timeout: Duration
    retries: int
    start_period: Duration


class Dependency(Closed):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class EnvironmentFile(Closed):
    path: str
    required: bool


class GrantedSecret(Closed):
    source: Name
    target: str


class Service(Closed):
    image: str
    build: Build | None = None
    command: list[str] | None = None
    hostname: Name | None = None
    environment: dict[Name, str] = {}
    env_file: list[EnvironmentFile] = []
    ports: list[Port] = []
    volumes: list[Mount] = []
    secrets: list[Name | GrantedSecret] = []
    networks: list[Name] = []
    network_mode: Annotated[str, Field(pattern=r"^(none|host|service:[a-z0-9-]+)$")] | None = None
    depends_on: dict[Name, Dependency] = {}
    restart: Literal["no", "always", "on-failure", "unless-stopped"]
    stop_grace_period: Duration | None = None
    healthcheck: HealthCheck | None = None
    ulimits: dict[str, int] = {}
    cpu_shares: int | None = None
    read_only: bool = False
    cap_drop: list[str] = []
    security_opt: list[str] = []
    tmpfs: list[str] = []


class Network(Closed):
    internal: bool = False


class Volume(Closed):
    pass


class Secret(Closed):
    file: str


class Compose(Closed):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    services: dict[Name, Service]
    networks: dict[Name, Network]
    volumes: dict[Name, Volume]
    secrets: dict[Name, Secret]


def plain() -> dict[str, Any]:
    """The file without its extensions (`x-`), every variable filled in."""
    text = re.sub(r"\$\{([A-Z_]+):\?\}", r"/srv/\1", FILE.read_text("utf-8"))
    return {name: value for name, value in yaml.safe_load(text).items() if not name.startswith("x-")}


def test_the_compose_file_says_only_what_the_specification_knows() -> None:
    """A misspelt word is skipped by some versions and refused by others."""
    read = Compose.model_validate(plain())
    assert set(read.services) == {"node-1", "node-2", "node-3", "watch"}


@pytest.mark.parametrize(
    ("service", "word", "value"),
    [
        ("watch", "readonly", True),
        ("watch", "restart", "sometimes"),
        ("node-1", "ports", ["5671"]),
        ("node-1", "stop_grace_period", "1 minute"),
        ("watch", "depends_on", {"node-1": {"condition": "healthy"}}),
    ],
)
def test_a_word_that_the_specification_does_not_know_is_noticed(service: str, word: str, value: object) -> None:
    """Each is what somebody writes from memory; a port alone would be published at random on every address."""
    changed = plain()
    changed["services"][service][word] = value
    with pytest.raises(ValidationError):
        Compose.model_validate(changed)


def test_every_service_that_another_shares_or_waits_for_is_there_and_can_be_waited_for() -> None:
    """`service_healthy` waits for ever where there is no health check; a shared network forbids one's own."""
    services = Compose.model_validate(plain()).services
    for one in services.values():
        shared = (one.network_mode or "").removeprefix("service:")
        assert not shared or (shared in services and not one.networks and not one.ports and one.hostname is None)
        for name, dependency in one.depends_on.items():
            assert dependency.condition != "service_healthy" or services[name].healthcheck is not None


def test_the_watch_reads_its_secrets_and_its_settings_where_the_file_puts_them() -> None:
    """Every file under /etc/mash, /run/secrets and /var/lib/mash lies in a mount of its own service."""
    watch = Compose.model_validate(plain()).services["watch"]
    mounted = {mount.split(":")[1] for mount in watch.volumes} | ({"/run/secrets"} if watch.secrets else set())
    named = [value for _, _, value in (word.partition("=") for word in watch.command or []) if value.startswith("/")]
    assert named
    assert all(any(value == place or value.startswith(f"{place}/") for place in mounted) for value in named)
