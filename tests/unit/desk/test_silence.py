"""A silent withhold cannot be told from "trace, nothing to share": not by shape, not by size (design, "Never" 4)."""

import pytest

from adapters.kit.delivery.messages import Outbound, outgoing
from adapters.kit.desk.answer import Judged
from adapters.kit.desk.request_file import Candidate, approved, worded
from adapters.kit.desk.steps import silence_objections
from adapters.kit.disclosure import load_pack
from adapters.kit.envelope.sealing import Chain, new_thread, seal
from schemas.content.codes import Outcome
from schemas.content.response import Nil
from schemas.routing import Lane
from tests.support.ashgrove import request_to
from tests.support.parties import make_directory, make_party
from tests.unit.desk.office import NOW, candidate, file, judged, reading, record, replied

POLICE = make_party("testford-police", kind="police", now=NOW)
COUNCIL = make_party("testford-council", kind="la", now=NOW)
BOUND = Outbound(
    recipient=COUNCIL.name,
    thread=new_thread(),
    in_reply_to=new_thread(),
    lane=Lane.URGENT,
    event="ANS",
    service_class="amber",
)


def _covert(number: int) -> Judged:
    about = candidate(f"POL-{number}", record=record(f"POL-{number}", text="an informant in the Plough " * 200))
    return judged(about, Outcome.WITHHOLD_SILENT, reasons=("SOURCE_PROTECTION",), alerts=("security",))


def _sealed_length(*silent: Judged) -> int:
    reply = replied(file(), *silent)
    message = outgoing(BOUND, reply.response, user="ppd-sergeant", role="ppd_supervisor", sealed=reply.sealed)
    made = seal(
        message, keys=POLICE.sender(), directory=make_directory(POLICE, COUNCIL), chain=Chain(1, bytes(32)), now=NOW
    )
    return len(made.body)


@pytest.mark.parametrize("number", [1, 7])
def test_an_answer_with_silent_withholds_is_the_answer_of_an_agency_that_has_nothing_to_share(number: int) -> None:
    """Field by field: same traces, same nil, no mark anywhere."""
    silent = replied(file(), *map(_covert, range(number)))

    assert silent.response == replied(file()).response
    assert silent.sealed == replied(file()).sealed
    assert silent.response.nil is Nil.NOTHING_TO_SHARE


def test_an_answer_with_silent_withholds_is_never_no_trace() -> None:
    """ "No trace" would be a lie that a later answer shows up; "nothing to share" is true."""
    reply = replied(file(reading(tilly="no_trace", dean="trace")), _covert(1))

    assert reply.response.nil is Nil.NOTHING_TO_SHARE


@pytest.mark.parametrize("number", [1, 7])
def test_an_envelope_with_silent_withholds_is_as_long_as_one_without(number: int) -> None:
    """The hub and the requester see the same number of bytes, through the real sealing."""
    assert _sealed_length(*map(_covert, range(number))) == _sealed_length()


def test_silence_by_the_real_rules_waits_for_its_second_approver_and_then_leaves_no_mark() -> None:
    """DIS-22, with the police's own rules: adoption information, its existence included."""
    own = Candidate(item="item-1", record=record("POL-9", category="criminal", flags=("adoption",)))
    (before,) = load_pack("police").assess(request_to("police"), [own.record]).decisions
    roles = before.approvals_needed
    for role in roles:
        own = approved(own, role, at=NOW, by=role)
    (after,) = (
        load_pack("police")
        .assess(request_to("police"), [own.record], approvals={"POL-9": own.approving_roles()})
        .decisions
    )

    assert roles
    assert after.outcome is Outcome.WITHHOLD_SILENT
    assert Judged(own, after).approvals_needed == frozenset()
    assert replied(file(), Judged(own, after)).response == replied(file()).response


@pytest.mark.parametrize(
    ("approvers", "stopped"),
    [((), True), (("sergeant",), True), (("second",), False), (("sergeant", "second"), False)],
)
def test_nobody_passes_a_record_over_in_silence_on_their_own_word(approvers: tuple[str, ...], stopped: bool) -> None:
    """DIS-22: a second approver. The attack: approve the silence in one role and send it in another."""
    own = Candidate(item="item-1", record=record("POL-9", flags=("adoption",)))
    for number, user in enumerate(approvers):
        own = approved(own, f"role-{number}", at=NOW, by=user)
    silent = judged(own, Outcome.WITHHOLD_SILENT)

    assert bool(silence_objections([silent], sender="sergeant")) is stopped
    assert silence_objections([judged(own, Outcome.WITHHOLD)], sender="sergeant") == []


def test_an_approval_of_another_wording_is_no_second_word_for_silence() -> None:
    """What was approved before the record was worded anew counts for nothing."""
    before = approved(Candidate(item="item-1", record=record("POL-9")), "role", at=NOW, by="second")
    silent = judged(worded(before, "another wording", by="sergeant"), Outcome.WITHHOLD_SILENT)

    (said,) = silence_objections([silent], sender="sergeant")
    assert said.startswith("DIS-22: POL-9 ")
