"""A FHIR server that is down, cut off, or sends the look-up elsewhere."""

import pytest

from adapters.health.records import open_records
from adapters.kit.lookup.records import RecordsUnavailableError, TraceStatus
from tests.support.ashgrove import ISSUED, request_to, sample
from tests.unit.records.fhir_server import serving
from tests.unit.records.test_health import everything, ids


def test_health_follows_no_page_to_another_server() -> None:
    """A link in an answer must not carry the token and the look-up elsewhere."""
    with serving(everything("acute")) as server, serving([]) as elsewhere:
        server.next_host = elsewhere.base_url
        records = open_records(server.base_url, token="secret")
        found = records.lookup(request_to("health"), as_of=ISSUED)
    assert elsewhere.seen == []
    assert "the next page is on another server" in {gap.problem for gap in found.unread}


def test_health_says_unavailable_when_nothing_listens() -> None:
    """The only source asked is down: nothing was looked up, and that is the world's fault."""
    with serving([]) as server:
        gone = server.base_url
    with pytest.raises(RecordsUnavailableError):
        open_records(gone).lookup(request_to("health"), as_of=ISSUED)


def test_health_names_the_source_that_is_down_when_others_answer() -> None:
    """One practice that cannot be reached does not hide what the hospital has."""
    with serving([]) as server:
        gone = server.base_url
    records = open_records("", sources={"gp": gone, "acute": str(sample("health") / "acute")})
    found = records.lookup(request_to("health"), as_of=ISSUED)
    assert ids(found) == {"HLT-01", "HLT-11"}
    assert [gap.file for gap in found.unread] == ["gp"]
    assert found.traces["dean"].status is TraceStatus.UNKNOWN


def test_health_begins_the_look_up_again_when_a_connection_is_cut() -> None:
    """A look-up only reads: two cut connections cost time and nothing else."""
    with serving(everything("acute")) as server:
        server.cuts = 2
        found = open_records(server.base_url).lookup(request_to("health"), as_of=ISSUED)
        assert server.cuts == 0
    assert found.complete
    assert "HLT-11" in ids(found)


def test_health_gives_up_when_every_connection_is_cut() -> None:
    """It does not try for ever, and says that nothing was looked up."""
    with serving(everything("acute")) as server:
        server.cuts = 99
        with pytest.raises(RecordsUnavailableError):
            open_records(server.base_url).lookup(request_to("health"), as_of=ISSUED)
        assert server.cuts == 96
