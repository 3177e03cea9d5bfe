"""The ambulance adapter: `agency.toml`, `rules.cedar`, `records.py`."""
