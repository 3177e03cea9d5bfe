"""A log line cannot carry a person: not by a key, not by an exception's text, not by another library."""

import json
import logging

import pytest
import structlog

from broker.logs import configure

NAME = "Tilly Ashgrove-Test"


def _lines(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().err


def test_a_careless_key_is_dropped_and_its_absence_noted(capfd: pytest.CaptureFixture[str]) -> None:
    """Somebody logs a name under a new key: the line comes without it."""
    configure()
    structlog.get_logger().info("delivered", mid="abc", child=NAME)
    line = _lines(capfd)
    assert NAME not in line
    assert json.loads(line) | {"timestamp": None} == {
        "event": "delivered",
        "mid": "abc",
        "dropped": 1,
        "level": "info",
        "timestamp": None,
    }


def test_an_exception_is_logged_by_type_and_place_and_never_by_its_text(capfd: pytest.CaptureFixture[str]) -> None:
    """A validation error quotes the value that it refused; the log does not."""
    configure()
    try:
        raise ValueError(f"cannot parse {NAME}")
    except ValueError as fault:
        structlog.get_logger().error("refused", exc_info=fault)
    line = _lines(capfd)
    assert NAME not in line
    assert json.loads(line)["fault"] == "ValueError"


def test_another_library_says_that_it_warns_and_not_about_what(capfd: pytest.CaptureFixture[str]) -> None:
    """A driver that logs its parameters leaves its own name and the level."""
    configure()
    logging.getLogger("some.driver").warning("bad row %s", NAME)
    assert _lines(capfd).split() == ["WARNING", "some.driver"]
