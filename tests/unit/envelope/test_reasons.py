"""What an operator reads beside a code: every reason that a check can give, and the vectors that lead to it.

The reason never leaves this side, and E06's are acted upon: EQUIVOCATION stops all sending.
"""

from collections import defaultdict

import pytest

from adapters.kit.envelope.conformance import run_folder
from broker.verify import Circumstances, Refusal, _Case, check_envelope, meant_for_me, suite_allowed
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope, write_head
from tests.support.envelopes import delivered, refusal_code, sealed_by
from tests.support.parties import NOW, Party
from tests.vectors.make import FOLDER

REASONS = {
    "E00": {"CC header", "larger than 2 MiB"},
    "E02": {
        "kind or flags",
        "length of a wrap",
        "number of sections",
        "suite",
        "wraps do not cover each section once a key",
    },
    "E04": {"another lane", "another recipient"},
    "E05": {"another sender's exchange"},
    "E06": {"EQUIVOCATION", "newer directory: refresh, then hold", "old directory", "unknown directory"},
    "E07": {"no agreement for this pair and class"},
    "E08": {"signing key not valid then", "signing key revoked", "unknown signing key"},
    "E09": {"signature"},
    "E10": {"expired", "from the future", "lives too long"},
    "E14": {"hash of a section"},
    "E15": {"a section sealed to a role that may not open it", "no manifest for a role of mine"},
    "E16": {"prekey not current then", "prekey unknown or erased"},
    "E17": {"wrap"},
    "E18": {"key commitment"},
    "E19": {"section"},
    "E20": {"padding"},
    "E21": {"text commitment"},
    "E22": {"manifest", "more sections than there are", "role of the author", "sections other than the manifest says"},
}
FRAMING = {
    "bytes after the end",
    "core length out of range",
    "ends early",
    "magic",
    "section count out of range",
    "section length out of range",
    "section table ends early",
    "section table out of order",
    "wrap count out of range",
    "wrap of no section",
}
NAMES = ("cls", "dir", "ev", "exp", "from", "irt", "kid", "lane", "mid", "prev", "seq", "t", "thread", "to", "v")
CORE = {
    "a byte outside the core's alphabet",
    "a field missing or unknown",
    "a number out of range",
    "a number that is not whole",
    "chain start",
    "duplicate field",
    "heartbeat without its kind and event",
    "not JSON",
    "receipt without its kind, event and lane",
    "to itself, or expired when sent",
    *(
        f"field {name}"
        for name in [
            "cls",
            "dir",
            "ev",
            "exp",
            "from",
            "irt",
            "kid",
            "lane",
            "mid",
            "prev",
            "seq",
            "t",
            "thread",
            "to",
            "v",
        ]
    ),
}
EQUIVOCATIONS = {"E06-directory-split-at-my-version", "E06-directory-split-at-a-past-version"}


@pytest.fixture(scope="module")
def reasons() -> dict[str, dict[str, str]]:
    """The reasons that the vectors lead to: by code, by file."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for verdict in run_folder(FOLDER):
        found[verdict.found][verdict.name] = verdict.detail
    return found


@pytest.mark.parametrize("code", [*REASONS, "E01", "E03"])
def test_an_operator_reads_a_reason_for_every_way_to_fail_a_check(
    code: str, reasons: dict[str, dict[str, str]]
) -> None:
    """Each reason has a vector, and no vector leads to a reason that is not in the table."""
    expected = REASONS | {"E01": FRAMING, "E03": CORE}
    assert set(reasons[code].values()) == expected[code]


def test_a_hub_that_equivocates_about_this_or_an_earlier_directory_is_called_that(
    reasons: dict[str, dict[str, str]],
) -> None:
    """M5: the word stops all sending, so both ways to equivocate have to lead to it."""
    named = {name for name, detail in reasons["E06"].items() if detail == "EQUIVOCATION"}
    assert named == EQUIVOCATIONS


def test_an_operator_reads_whether_an_envelope_is_too_short_or_too_long(
    council: Party, police: Party, directory: Directory
) -> None:
    """One speaks for a broken connection, the other for somebody who hides something behind an envelope."""
    body = sealed_by(council, police, directory=directory).body
    said = {body[:-1]: "ends early", body + b"\0": "bytes after the end"}
    for forged, reason in said.items():
        outcome = delivered(forged, sender=council, recipient=police, directory=directory)
        assert isinstance(outcome, Refusal)
        assert (outcome.code, outcome.detail) == ("E01", reason)


def test_a_sender_shortens_one_wrap_of_many(council: Party, police: Party, directory: Directory) -> None:
    """E02: every wrap has the one length, not just the first or all of them together."""
    frame = read_envelope(sealed_by(council, police, directory=directory).body)
    assert isinstance(frame, Frame)
    for place, wrap in enumerate(frame.head.wraps):
        wraps = list(frame.head.wraps)
        wraps[place] = wrap._replace(sealed=wrap.sealed[:-1])
        head = write_head(frame.head._replace(wraps=tuple(wraps)))
        body = b"".join((head, council.sender().sign(head), *frame.ciphertexts))
        assert refusal_code(delivered(body, sender=council, recipient=police, directory=directory)) == "E02"


def test_a_check_that_is_moved_before_those_it_rests_on_stops_instead_of_passing(
    council: Party, police: Party, directory: Directory
) -> None:
    """Style 4: the order is part of the list; what ran too early raises, which is E99 and is not accepted."""
    around = Circumstances(council.name, None, False, directory, NOW)
    with pytest.raises(TypeError, match="framing"):
        suite_allowed(_Case(b"no envelope", around, stub_only=False))
    frame = read_envelope(sealed_by(council, police, directory=directory).body)
    assert isinstance(frame, Frame)
    without_core = write_head(frame.head._replace(core=b"{}")) + frame.signature
    with pytest.raises(TypeError, match="core"):
        meant_for_me(_Case(without_core, around, stub_only=True))
    assert isinstance(check_envelope(without_core, around, stub_only=True), Refusal)
