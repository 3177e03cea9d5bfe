"""The voluntary adapter: `agency.toml`, `rules.cedar`, `records.py`."""
