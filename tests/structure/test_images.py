"""The images, the services and the compose file: what they copy, what they name, and what is left out of the hub's."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from broker.cli.main import build
from deploy.local.rabbitmq import production_settings

ROOT = Path(__file__).parents[2]
IMAGES, SYSTEMD, COMPOSE = ROOT / "deploy/images", ROOT / "deploy/systemd", ROOT / "deploy/compose"
UNITS = sorted(SYSTEMD.glob("*.service"))
NEVER_IN_THE_HUB = ("adapters", "schemas/content")
IMPORT_EVERYTHING = """
import importlib, importlib.util, pkgutil
import broker, schemas
for package in (broker, schemas):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
print(importlib.util.find_spec("adapters"), importlib.util.find_spec("schemas.content"))
"""


def instructions(dockerfile: str) -> list[tuple[str, list[str]]]:
    """Read a Dockerfile's instructions: comments gone, continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [
        (name.upper(), rest.split()) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def copied(dockerfile: str, *, to: Path) -> None:
    """Make under `to` what the image's COPY lines would make; stages are the packages and are left out."""
    for name, words in instructions(dockerfile):
        assert name != "ADD", "ADD fetches and unpacks; COPY says what goes in"
        if name != "COPY" or any(word.startswith("--from=") for word in words):
            continue
        *sources, target = [word for word in words if not word.startswith("--")]
        for source in sources:
            _copy(source, to / target.lstrip("/"), into=target.endswith("/"))


def _copy(source: str, target: Path, *, into: bool) -> None:
    for path in sorted(ROOT.glob(source.rstrip("/"))) if source != "." else [ROOT]:
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*", "build")
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=ignored)
            continue
        place = target / path.name if into else target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


def forbidden_in(root: Path) -> list[str]:
    """Name what an image holds and must not."""
    return [name for name in NEVER_IN_THE_HUB if (root / "opt/mash" / name).exists()]


def from_the_copy_alone(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the copy and the installed packages, without the hook by which this checkout is installed."""
    packages = sysconfig.get_path("purelib")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{root / 'opt/mash'}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-S", *arguments], cwd=root, env=env, capture_output=True, text=True)


@pytest.fixture
def hub_image(tmp_path: Path) -> Path:
    """What the hub's image copies."""
    copied((IMAGES / "hub.Dockerfile").read_text(), to=tmp_path)
    return tmp_path


def test_the_hubs_image_holds_no_adapter_and_no_content(hub_image: Path) -> None:
    """What opens a message, and what is written inside one, is not there to be used."""
    assert forbidden_in(hub_image) == []
    assert {path.name for path in (hub_image / "opt/mash").iterdir()} == {"broker", "schemas"}


@pytest.mark.parametrize(
    "line", ["COPY . /opt/mash/", "COPY adapters/ /opt/mash/adapters/", "COPY schemas/ /opt/mash/schemas/"]
)
def test_a_line_that_copies_too_much_is_noticed(tmp_path: Path, line: str) -> None:
    """The attack: somebody makes the hub's image work by copying everything."""
    copied(f"{(IMAGES / 'hub.Dockerfile').read_text()}\n{line}\n", to=tmp_path)
    assert forbidden_in(tmp_path) != []


def test_the_hub_works_from_what_its_image_copies(hub_image: Path) -> None:
    """Every module imports, `--help` answers, and neither adapters nor content can be found."""
    everything = from_the_copy_alone(hub_image, "-c", IMPORT_EVERYTHING)
    assert (everything.returncode, everything.stdout.strip()) == (0, "None None"), everything.stderr
    helped = from_the_copy_alone(hub_image, str(hub_image / "usr/local/bin/mash-hub"), "--help")
    assert helped.returncode == 0, helped.stderr
    assert "Make the broker equal to the table" in helped.stdout


def test_an_agency_works_from_what_its_image_copies(tmp_path: Path) -> None:
    """`mash run --help` answers from the copy alone."""
    copied((IMAGES / "adapter.Dockerfile").read_text(), to=tmp_path)
    helped = from_the_copy_alone(tmp_path, str(tmp_path / "usr/local/bin/mash"), "run", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "Connect to the hub" in helped.stdout


@pytest.mark.parametrize("name", ["hub", "adapter"])
def test_an_image_installs_only_what_is_pinned_by_hash_and_does_not_run_as_root(name: str) -> None:
    """A package whose content changed is not installed; a broken-into process owns nothing."""
    text = (IMAGES / f"{name}.Dockerfile").read_text()
    found = instructions(text)
    installs = [" ".join(words) for kind, words in found if kind == "RUN" and "pip install" in " ".join(words)]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "requirements.lock" in installs[0]
    assert ("USER", ["mash"]) in found
    assert {words[0] for kind, words in found if kind == "FROM"} == {"debian:12-slim"}


@pytest.mark.parametrize("name", ["hub", "adapter"])
def test_the_builder_is_given_what_the_image_copies_and_nothing_else(name: str) -> None:
    """The ignore file begins with everything, and lets through exactly the sources of the COPY lines."""
    ignore = [line for line in (IMAGES / f"{name}.Dockerfile.dockerignore").read_text().splitlines() if line[0] != "#"]
    assert ignore[0] == "**"
    let_through = {line[1:].removesuffix("/**") for line in ignore if line.startswith("!")}
    found = instructions((IMAGES / f"{name}.Dockerfile").read_text())
    sources = {
        word.rstrip("/")
        for kind, words in found
        if kind == "COPY" and not any(word.startswith("--from=") for word in words)
        for word in [word for word in words if not word.startswith("--")][:-1]
    }
    assert let_through == sources


def unit(path: Path) -> configparser.RawConfigParser:
    """Read a unit file; of a setting that is given twice, the last."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read_string(path.read_text())
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_service_stops_trying_and_has_no_privilege(path: Path) -> None:
    """A crash loop would spend the delivery limit of every message in its window (C30)."""
    read = unit(path)
    assert 1 <= int(read["Unit"]["StartLimitBurst"]) <= 10
    expected = {
        "Restart": "on-failure",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
    }
    assert {name: read["Service"].get(name) for name in expected} == expected
    assert "LoadCredentialEncrypted" in read["Service"]
    assert read["Service"]["User"] not in ("", "root")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_service(path: Path, tmp_path: Path) -> None:
    """systemd's own reader finds nothing unknown; the program's path is this machine's, for the check alone."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    here = tmp_path / path.name
    here.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", path.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True)
    about_us = [line for line in (done.stdout + done.stderr).splitlines() if path.name in line]
    assert about_us == []


@pytest.fixture
def compose() -> dict[str, Any]:
    """The compose file."""
    read: dict[str, Any] = yaml.safe_load((COMPOSE / "three-nodes.yaml").read_text())
    return read


def test_the_three_nodes_run_the_production_configuration(compose: dict[str, Any]) -> None:
    """Three nodes, one configuration: the one that the tests boot their broker from, and files that exist."""
    nodes = {name: one for name, one in compose["services"].items() if name.startswith("node-")}
    assert set(nodes) == {"node-1", "node-2", "node-3"}
    for node in nodes.values():
        sources = {volume.split(":")[0] for volume in node["volumes"] if volume.startswith(".")}
        assert all((COMPOSE / source).is_file() for source in sources)
        assert (ROOT / "deploy/rabbitmq/rabbitmq.conf") in {(COMPOSE / source).resolve() for source in sources}


def test_the_nodes_publish_tls_and_nothing_else(compose: dict[str, Any]) -> None:
    """Management, distribution and epmd are found open on the internet by the ten thousand; ours are not published."""
    published = [port for one in compose["services"].values() for port in one.get("ports", [])]
    assert published
    tls_port = production_settings()["listeners.ssl.1"].rpartition(":")[2]
    others = [port for port in published if port.rpartition(":")[2] != tls_port]
    assert others == ["127.0.0.1:8443:8443"]  # the operations page, to this machine alone
    assert {"--http=0.0.0.0:8443", "--http-settings=/etc/mash/page.toml"} <= set(
        compose["services"]["watch"]["command"]
    )
    assert compose["networks"]["cluster"]["internal"] is True


def test_every_name_in_the_compose_file_is_declared(compose: dict[str, Any]) -> None:
    """Volumes, networks, secrets and the build's own files."""
    services = compose["services"].values()
    named = {volume.split(":")[0] for one in services for volume in one["volumes"] if volume[0] not in "./$"}
    assert named == set(compose["volumes"])
    assert {network for one in services for network in one.get("networks", [])} == set(compose["networks"])
    secrets = [secret for one in services for secret in one.get("secrets", [])]
    assert {one if isinstance(one, str) else one["source"] for one in secrets} == set(compose["secrets"])
    build = compose["services"]["watch"]["build"]
    assert (COMPOSE / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def options_of(words: list[str]) -> set[str]:
    """Name the options among the words of a command."""
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def test_the_watch_is_started_with_options_that_it_has(compose: dict[str, Any]) -> None:
    """A misspelt option would show on the night of the restart; what the unit has, the compose file has."""
    service = (SYSTEMD / "mash-watch.service").read_text()
    command = re.search(r"(?m)^ExecStart=((?:.*\\\n)*.*)$", service)
    assert command
    units, composed = command[1].replace("\\\n", " ").split(), compose["services"]["watch"]["command"]
    by_unit, by_compose = [options_of(words) for words in (units, composed)]
    assert by_unit <= by_compose
    used = by_unit | by_compose
    program = get_command(build(["watch"]))
    assert isinstance(program, TyperGroup)
    known = {option for parameter in program.commands["watch"].params for option in parameter.opts}
    assert {"--directory", "--key"} <= used <= known


def test_the_watch_yields_to_the_broker_however_it_is_started(compose: dict[str, Any]) -> None:
    """A flood of stubs must not slow what is carried: the watch can catch up, a child cannot wait."""
    weights = {"5": 335}  # the scheduler's own weight of that niceness, of 1024
    nice = re.search(r"(?m)^Nice=(\d+)$", (SYSTEMD / "mash-watch.service").read_text())
    assert nice
    assert compose["services"]["watch"]["cpu_shares"] == weights[nice[1]]


def test_the_nodes_know_each_other_by_their_own_names(compose: dict[str, Any]) -> None:
    """A node that is missing in the list makes a cluster of its own, with queues of its own."""
    listed = set(re.findall(r"nodes\.\d+ = (\S+)", (COMPOSE / "cluster.conf").read_text()))
    running = {
        one["environment"]["RABBITMQ_NODENAME"] for name, one in compose["services"].items() if name.startswith("node-")
    }
    assert listed == running
