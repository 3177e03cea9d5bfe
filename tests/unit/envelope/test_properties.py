"""What holds for any text and any numbers, and not only for the examples that somebody thought of."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from adapters.kit.envelope.sealing import Chain, Section
from adapters.kit.envelope.verification import Opened, Refusal
from schemas import base64url, signing
from schemas.directory import Directory
from schemas.stub import BadCore, Event, read_core, write_core
from tests.support.envelopes import delivered, opened, sealed_by
from tests.support.parties import Party

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = some.dictionaries(some.sampled_from(Section), some.binary(min_size=1, max_size=5000))
CHAINS = some.integers(2, 2**53 - 1).flatmap(
    lambda seq: some.binary(min_size=32, max_size=32).filter(any).map(lambda prev: Chain(seq, prev))
)
MESSAGES = [event for event in Event if event not in (Event.RECEIPT, Event.HEARTBEAT)]


@QUICK
@given(texts=TEXTS, chain=CHAINS, event=some.sampled_from(MESSAGES))
def test_whatever_is_sealed_is_opened_unchanged(
    texts: dict[Section, bytes], chain: Chain, event: Event, council: Party, police: Party, directory: Directory
) -> None:
    """Any bytes in any choice of sections, at any place in the chain."""
    sealed = sealed_by(council, police, directory=directory, sections=texts, chain=chain, event=event)
    message = opened(sealed.body, sender=council, recipient=police, directory=directory)
    assert isinstance(message, Opened)
    assert message.sections == texts


@QUICK
@given(data=some.data())
def test_whatever_is_changed_in_an_envelope_is_refused(
    data: some.DataObject, council: Party, police: Party, directory: Directory
) -> None:
    """Any piece overwritten by any other bytes: a refusal, and never E99."""
    body = sealed_by(council, police, directory=directory).body
    place = data.draw(some.integers(0, len(body) - 1))
    piece = data.draw(some.binary(min_size=1, max_size=64))
    forged = body[:place] + piece + body[place + len(piece) :]
    outcome = opened(forged, sender=council, recipient=police, directory=directory)
    assert forged == body or (isinstance(outcome, Refusal) and outcome.code != "E99")


@QUICK
@given(chain=CHAINS, numbers=some.tuples(some.integers(0, 2**53 - 2), some.integers(0, 2**53 - 1)))
def test_whatever_core_is_written_is_read_back(
    chain: Chain, numbers: tuple[int, int], council: Party, police: Party, directory: Directory
) -> None:
    """Writing and reading are inverse over the whole range of every number."""
    body = sealed_by(council, police, directory=directory).body
    arrival = delivered(body, sender=council, recipient=police, directory=directory)
    assert not isinstance(arrival, Refusal)
    sent, version = numbers
    reference = replace(arrival.stub.directory, version=version)
    stub = replace(arrival.stub, seq=chain.seq, prev=chain.prev, t=sent, exp=sent + 1, directory=reference)
    assert read_core(write_core(stub)) == stub


@given(raw=some.binary(max_size=200), text=some.text(max_size=60))
def test_base64url_has_one_spelling_for_every_value(raw: bytes, text: str) -> None:
    """Reading is the inverse of writing, in both directions."""
    assert base64url.decode(base64url.encode(raw)) == raw
    decoded = base64url.decode(text)
    assert decoded is None or base64url.encode(decoded) == text


@given(raw=some.binary(max_size=3000))
def test_padding_is_taken_off_only_where_it_was_put_on(raw: bytes) -> None:
    """`unpad` accepts what `pad` writes, and nothing else."""
    assert signing.unpad(signing.pad(raw)) == raw
    text = signing.unpad(raw)
    assert text is None or signing.pad(text) == raw


@given(raw=some.binary(max_size=400))
def test_no_bytes_make_the_core_reader_raise(raw: bytes) -> None:
    """The first thing that strangers' bytes meet after the framing."""
    outcome = read_core(raw)
    assert isinstance(outcome, BadCore) or read_core(write_core(outcome)) == outcome
