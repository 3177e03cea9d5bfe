"""The health adapter: `agency.toml`, `rules.cedar`, `records.py`."""
