"""The idva adapter: `agency.toml`, `rules.cedar`, `records.py`."""
