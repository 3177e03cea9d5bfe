"""The store of one adapter: what it keeps, sealed at rest, and the transactions through which all of it changes."""
