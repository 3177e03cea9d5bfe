"""The la adapter: `agency.toml`, `rules.cedar`, `records.py`."""
