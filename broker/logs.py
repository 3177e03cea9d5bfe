"""Logs that cannot say anything about a person: events from our own words, keys from an allow-list, no exception texts.

A key that is not on the list is dropped and its absence is noted, so that a careless line loses a detail and never
leaks one (SEC-02; design, "Never" 1). Of an exception only its type and the place in our code are logged: its text may
quote what it choked on.
"""

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

import structlog

ALLOWED_KEYS: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "participant",
        "peer",
        "lane",
        "mid",
        "code",
        "kind",
        "count",
        "state",
        "attempt",
        "seconds",
        "bytes",
        "version",
        "rag",
        "reference",
        "due_at",
        "fault",
        "place",
        "dropped",
    }
)


def configure(*, as_json: bool = True) -> None:
    """Send our logs to standard error, one line an event; other libraries speak up from WARNING on, without detail."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            fault_without_text,
            only_allowed_keys,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s", stream=sys.stderr, force=True)


def only_allowed_keys(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not on the list, and say how many were dropped."""
    dropped = [key for key in event if key not in ALLOWED_KEYS]
    for key in dropped:
        del event[key]
    if dropped:
        event["dropped"] = len(dropped)
    return event


def fault_without_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and the innermost place of ours that it passed."""
    fault = event.pop("exc_info", None)
    fault = sys.exc_info()[1] if fault is True else fault
    if isinstance(fault, BaseException):
        event["fault"], event["place"] = type(fault).__name__, _place_of(fault)
    return event


def _place_of(fault: BaseException) -> str:
    place, step = "", fault.__traceback__
    while step is not None:
        path = Path(step.tb_frame.f_code.co_filename)
        if {"adapters", "broker", "schemas"} & set(path.parts):
            place = f"{path.parent.name}/{path.name}:{step.tb_lineno}"
        step = step.tb_next
    return place
