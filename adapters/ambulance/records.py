"""Ambulance: calls, crew observations and address markers of an ambulance service, kept as the plain register.

`location` is a folder with `persons.csv` and `records.csv`; the columns and what happens to a bad row stand in
`adapters/kit/lookup/csv_register.py`. The service's own codes answer questions through `answers.toml` beside this file.
A call often has an address and no name: such an entry is possible at most, and a person says whose it is.
"""

from adapters.kit.lookup.csv_register import open_register
from adapters.kit.lookup.records import Records


def open_records(location: str) -> Records:
    """Open the register in the folder `location`."""
    return open_register(location, kind="ambulance")
