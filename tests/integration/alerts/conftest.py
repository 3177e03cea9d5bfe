"""Ledgers for the tests of alerts: every test that asks for `ledger_url` runs on SQLite and on PostgreSQL."""

from tests.integration.watch.conftest import ledger_url

__all__ = ["ledger_url"]
