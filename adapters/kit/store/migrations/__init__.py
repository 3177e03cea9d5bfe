"""The schema of a store, step by step, for SQLite and PostgreSQL."""
