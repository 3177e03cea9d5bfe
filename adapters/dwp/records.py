"""DWP: claims, journals and markers of the Department for Work and Pensions, kept as the plain register.

`location` is a folder with `persons.csv` and `records.csv`; the columns and what happens to a bad row stand in
`adapters/kit/lookup/csv_register.py`. The service's own codes answer questions through `answers.toml` beside this file.
The National Insurance number is what DWP is sent to look by (RFI-06).
"""

from adapters.kit.lookup.csv_register import open_register
from adapters.kit.lookup.records import Records


def open_records(location: str) -> Records:
    """Open the register in the folder `location`."""
    return open_register(location, kind="dwp")
