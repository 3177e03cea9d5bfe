"""The substance misuse adapter: `agency.toml`, `rules.cedar`, `records.py`."""
