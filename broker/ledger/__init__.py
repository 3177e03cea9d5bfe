"""The hub's ledger: a hash-chained book of the stubs that passed, on SQLite or PostgreSQL."""
