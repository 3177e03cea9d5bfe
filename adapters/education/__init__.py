"""The education adapter: `agency.toml`, `rules.cedar`, `records.py`."""
