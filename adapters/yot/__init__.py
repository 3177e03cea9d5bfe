"""The yot adapter: `agency.toml`, `rules.cedar`, `records.py`."""
