"""The dwp adapter: `agency.toml`, `rules.cedar`, `records.py`."""
