"""The ukvi adapter: `agency.toml`, `rules.cedar`, `records.py`."""
