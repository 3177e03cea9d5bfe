"""Places where a test may kill this process, named C01 to C44 as in the delivery design; inert in production.

Without the environment variable MASH_FAILPOINT, `reach` compares one module constant with None and returns.
With it (`C08` or `C08:3`, the third passage), the process kills itself with SIGKILL at that place: no handler runs, no
buffer is flushed, as when the machine loses power to this process. A name that is not in the table stops the
program at start, so that a test can never pass because its point was misspelt.
Four of the design's points have no line of ours to lie on: C33 is an order of receipts and C44 a restore, and C37 and
C38 lie between files that the hub's half and python-tuf write; tests make the first two happen, and kill at the others
(`tests/crash/test_directory_crashes.py`). C13 to C20 are the broker's own (`make fault`).
"""

import os
import signal
from typing import Final

VARIABLE: Final = "MASH_FAILPOINT"

POINTS: Final = {
    "C01": "before the commit of a draft",
    "C02": "after the commit of a command, before its answer",
    "C03": "while a message is held, at its release",
    "C04": "in a recall, before its commit",
    "C05": "after sealing, before the commit of SEALED",
    "C06": "after SEALED, before the claim",
    "C07": "after the claim, before the socket is written",
    "C08": "after the write, before the confirm is read",
    "C09": "after the confirm, before CONFIRMED is committed",
    "C10": "after a return, before RETURNED is committed",
    "C11": "between the commits of two lanes",
    "C12": "while sealing again after REJ-KEY",
    "C21": "after a delivery, before it is parsed",
    "C22": "while verifying",
    "C23": "inside the transaction that stores the arrival",
    "C24": "after that commit, before the acknowledgement",
    "C25": "after the acknowledgement was handed to the connection",
    "C26": "while the worker opens the sections",
    "C27": "after the effect, before its commit",
    "C28": "after APPLIED is committed, before R2 is published",
    "C29": "while putting unauthenticated input into quarantine",
    "C30": "in a message that brings the process down while it is parsed",
    "C31": "when R1 comes before the confirm was recorded",
    "C32": "after R1 was applied, before the acknowledgement",
    "C33": "when R2 comes before R1",
    "C34": "new prekey made, not yet published",
    "C35": "prekey about to be published",
    "C36": "prekey erasure half done",
    "C37": "directory file written, version row not",
    "C38": "between the files of a root rotation",
    "C39": "while the store's keys are wrapped again",
    "C40": "timer fired, alert not committed",
    "C41": "alert sent to its channel, not recorded",
    "C42": "ledger row written, not committed",
    "C43": "in the middle of a migration",
    "C44": "after work that a backup does not have",
}


class UnknownFailpoint(Exception):
    """MASH_FAILPOINT names no failpoint; unset it, it belongs to crash tests only."""


def _armed(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    name, _, passage = text.partition(":")
    if name not in POINTS or not (passage or "1").isdigit():
        raise UnknownFailpoint(text)
    return name, int(passage or "1")


_ARMED: Final = _armed(os.environ.get(VARIABLE))
_passages: list[str] = []


def reach(name: str) -> None:
    """Kill the process when it is armed for `name` and this is the passage asked for; otherwise do nothing."""
    if _ARMED is None:
        return
    if name not in POINTS:
        raise UnknownFailpoint(name)
    _passages.append(name)
    if (name, _passages.count(name)) == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
