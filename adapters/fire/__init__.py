"""The fire adapter: `agency.toml`, `rules.cedar`, `records.py`."""
