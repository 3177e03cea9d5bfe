"""The police adapter: `agency.toml`, `rules.cedar`, `records.py`."""
