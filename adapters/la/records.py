"""Local authority: the Standard Safeguarding Dataset in a database, or its CSV extract, or a census return.

`location` is a database URL (any that SQLAlchemy speaks to), a folder with one CSV file a table, or the `.xml` of a
children in need census return. What the dataset has no column for stands in `annotations.csv`: in the folder, or
beside the file of an SQLite database or of the return.
"""

from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from adapters.kit.lookup.annotations import annotated
from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.holdings import Holdings
from adapters.kit.lookup.records import LoadedRecords, Records
from adapters.la.cin_census import read_census
from adapters.la.ssd import read_ssd
from adapters.la.ssd_database import fetch
from schemas.content.rfi import RequestForInformation


def open_records(location: str) -> Records:
    """Open the council's records at `location`."""
    answers = AnswerTable.of("adapters.la")
    notes = _notes_folder(location)

    def load(_request: RequestForInformation, as_of: datetime) -> Holdings:
        if location.endswith(".xml"):
            found = read_census(Path(location), answers, on=as_of.date())
        else:
            found = read_ssd(fetch(location), answers)
        return annotated(found, notes) if notes else found

    return LoadedRecords({"la": load})


def _notes_folder(location: str) -> Path | None:
    if "://" not in location:
        path = Path(location)
        return path.parent if location.endswith(".xml") else path
    url = make_url(location)
    return Path(url.database).parent if url.get_backend_name() == "sqlite" and url.database else None
