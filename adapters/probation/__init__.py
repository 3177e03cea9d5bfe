"""The probation adapter: `agency.toml`, `rules.cedar`, `records.py`."""
