"""Fixtures of every test: real servers, started once a worker when first asked for, and both kinds of hub.

A server that cannot be had fails the test in CI and skips it elsewhere; either way one line says what to install.
"""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from deploy.local.postgres import LocalPostgres
from deploy.local.process import LocalServerError
from deploy.local.rabbitmq import LocalRabbitMQ
from tests.support.hubs import HubFactory, embedded_factory, rabbit_factory
from tests.support.postgres import any_postgres, fresh_database
from tests.support.rabbitmq import any_rabbitmq

_SERVERS = ("rabbitmq", "postgres")

settings.register_profile("mash", deadline=None)  # a busy machine is no fault: no test is timed
settings.load_profile("mash")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a server by the fixtures that they use."""
    for item in items:
        for name in set(_SERVERS) & set(getattr(item, "fixturenames", ())):
            item.add_marker(getattr(pytest.mark, name))


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A program run in the tests' process configures logging, to a stream that ends with its test: put it back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def cannot_be_had(reason: str) -> None:
    """Fail in CI, skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[LocalRabbitMQ]:
    """A real RabbitMQ, shared by the tests of a worker: make a vhost of your own in it (`tests.support.rabbitmq`)."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(any_rabbitmq())
        except LocalServerError as fault:
            cannot_be_had(str(fault))
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A real PostgreSQL, shared by the tests of a worker: ask for `postgres_url` to get a database of your own."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(any_postgres())
        except LocalServerError as fault:
            cannot_be_had(str(fault))
        yield server


@pytest.fixture
async def postgres_url(postgres: LocalPostgres) -> AsyncIterator[str]:
    """The SQLAlchemy address (asyncpg) of an empty database of the test's own."""
    async with fresh_database(postgres) as url:
        yield url


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def hub_factory(request: pytest.FixtureRequest, tmp_path: Path) -> HubFactory:
    """Both hubs, one after the other: `async with hub_factory(topology) as hub: await hub.connect(participant)`."""
    if request.param == "embedded":
        return embedded_factory(tmp_path)
    return rabbit_factory(request.getfixturevalue("rabbitmq"))
