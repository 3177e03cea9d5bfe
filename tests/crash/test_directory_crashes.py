"""C37 and C38: killed between the files of a directory or of a root rotation, the reader goes on with the one before.

The directory's files are written by the hub's half and by python-tuf, neither of which knows the adapter's failpoints;
so the place is chosen here: a forked process kills itself (SIGKILL) instead of writing the n-th file.
"""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from tuf.ngclient.updater import Updater

from broker.directory import shelf
from broker.directory.client import DirectoryClient
from broker.directory.rules import Alarm
from tests.support.parties import NOW, Party, make_party
from tests.support.registry import ROOT_KEYS, Registry

HOUR = timedelta(hours=1)


@pytest.fixture
def police() -> Party:
    """A member whose record changes."""
    return make_party("testford-police", kind="police")


@pytest.fixture
def registry(tmp_path: Path, police: Party) -> Registry:
    """A registrar with two members, published."""
    made = Registry(tmp_path, now=NOW)
    made.enrol(police, make_party("testford-la", kind="la"), now=NOW)
    made.publish(NOW)
    return made


def deadly(owner: Any, name: str, *, writes: int) -> None:
    """Let this process die instead of its (`writes` + 1)-th call of a function."""
    inner, done = getattr(owner, name), 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal done
        if done == writes:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return inner(*arguments, **named)

    setattr(owner, name, dying)


def killed(work: Callable[[], object], owner: Any, name: str, *, writes: int) -> int:
    """Do `work` in a process that dies at a write; returns its exit code."""

    def life() -> None:
        deadly(owner, name, writes=writes)
        work()

    process = get_context("fork").Process(target=life)
    process.start()
    process.join(60)
    return process.exitcode if process.exitcode is not None else 0


def rotate_root(registry: Registry, *, hours: int) -> None:
    """Stage and sign the next root."""
    registry.stage_root(NOW + hours * HOUR)
    registry.sign("root", *ROOT_KEYS[:2])


def test_a_reader_killed_before_it_wrote_down_what_it_fetched_uses_the_directory_before(
    registry: Registry, police: Party
) -> None:
    """C37: the files of the new one lie there, the old one is used; the next refresh comes to its end."""
    reader = registry.client("reader")
    before = reader.refresh(registry.source, now=NOW).directory
    old_hub = registry.copy("old-hub")
    assert before is not None
    registry.submit(police, now=NOW + HOUR)
    registry.publish(NOW + HOUR)

    ended = killed(lambda: reader.refresh(registry.source, now=NOW + HOUR), DirectoryClient, "_write", writes=0)

    again = DirectoryClient(registry.folder.parent / "reader")
    assert (ended, again.current().hash) == (-signal.SIGKILL, before.hash)
    assert [raised.alarm for raised in again.refresh(old_hub, now=NOW + HOUR).alarms] == [Alarm.ROLLBACK]
    after = again.refresh(registry.source, now=NOW + HOUR)
    assert (after.alarms, after.directory is not None and after.directory.version > before.version) == ((), True)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_registrar_killed_between_the_files_of_a_root_rotation_leaves_a_directory_that_verifies(
    registry: Registry, writes: int
) -> None:
    """C38, at the hub: readers take the old root or the new one, and the same publication comes to its end."""
    reader = registry.client("reader")
    assert reader.refresh(registry.source, now=NOW).alarms == ()
    rotate_root(registry, hours=1)

    ended = killed(lambda: registry.publish(NOW + HOUR), shelf, "_replace", writes=writes)

    assert reader.refresh(registry.source, now=NOW + HOUR).alarms == ()
    assert ended in (-signal.SIGKILL, 0)
    assert ended == -signal.SIGKILL or writes > 0
    registry.publish(NOW + 2 * HOUR)
    newcomer = registry.client("newcomer")
    for client in (reader, newcomer):
        assert client.refresh(registry.source, now=NOW + 2 * HOUR).alarms == ()
    assert (registry.folder / "metadata" / "2.root.json").exists()


@pytest.mark.parametrize("writes", [0, 1])
def test_a_reader_killed_between_two_roots_goes_on_with_the_one_that_it_trusts(registry: Registry, writes: int) -> None:
    """C38, at the reader: each root is trusted by the one before it, so half a chain is a chain."""
    reader = registry.client("reader")
    before = reader.refresh(registry.source, now=NOW).directory
    assert before is not None
    for hours in (1, 2):
        rotate_root(registry, hours=hours)
        registry.publish(NOW + hours * HOUR)

    ended = killed(lambda: reader.refresh(registry.source, now=NOW + 2 * HOUR), Updater, "_persist_root", writes=writes)

    again = DirectoryClient(registry.folder.parent / "reader")
    assert (ended, again.current().hash) == (-signal.SIGKILL, before.hash)
    after = again.refresh(registry.source, now=NOW + 2 * HOUR)
    assert (after.alarms, after.directory is not None) == ((), True)
