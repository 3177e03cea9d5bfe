"""The housing adapter: `agency.toml`, `rules.cedar`, `records.py`."""
