"""A process that dies in the middle of changing keys leaves a keyring that opens, and nothing published without key."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.keys.keyhealth import self_test
from adapters.kit.keys.keyring import Keyring
from tests.support.parties import NOW, cheap_protector

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from datetime import timedelta
from pathlib import Path
from adapters.kit.running.directory_client import sign_record
from adapters.kit.keys.keyring import Keyring
from tests.support.parties import NOW, cheap_protector

folder, days = Path(sys.argv[1]), int(sys.argv[2])
ring = Keyring.open(folder / "keys", protector=cheap_protector(), now=NOW)
ring.rotate(NOW + timedelta(days=days))
ring.erase_expired(NOW + timedelta(days=days))
sign_record(ring, folder=folder / "published", now=NOW)
"""


def killed(folder: Path, *, days: int, point: str) -> int:
    """Run the daily work with a failpoint armed, and say how it ended."""
    environment = {**os.environ, "MASH_FAILPOINT": point, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", PROGRAM, str(folder), str(days)]
    return subprocess.run(words, env=environment, cwd=ROOT, check=False, capture_output=True).returncode


@pytest.mark.parametrize("point", ["C34", "C35", "C36", "C36:2"])
@pytest.mark.parametrize("days", [6, 24])
def test_a_killed_rotation_or_erasure_is_whole_or_absent(point: str, days: int, tmp_path: Path) -> None:
    """C34, C35, C36: after the crash the keyring opens, fits itself, and the same work comes to its end."""
    made = Keyring.create(tmp_path / "keys", participant="testford-la", protector=cheap_protector(), now=NOW)
    before = {key.id for key in made.stored.keys}
    ended = killed(tmp_path, days=days, point=point)
    assert ended in ((-9,) if point != "C36:2" or days == 24 else (-9, 0))
    later = NOW + timedelta(days=days)
    ring = Keyring.open(tmp_path / "keys", protector=cheap_protector(), now=NOW)
    assert self_test(ring, later) == []
    published = tmp_path / "published" / "testford-la.json"
    assert not published.exists() or ended == 0
    ring.rotate(later)
    ring.erase_expired(later)
    after = {key.id for key in Keyring.open(tmp_path / "keys", protector=cheap_protector(), now=later).stored.keys}
    assert len(after - before) >= 4
    assert len(before & after) == (2 if days == 24 else 6)
