"""Education: a folder with Common Transfer Files and the exports of the school's safeguarding log.

`location` is a folder with at least one CTF (`*.xml`, see `ctf.py`) and at least one `safeguarding_log*.csv`
(`safeguarding_log.py`). Both must be there, for the log is kept apart from the pupil file: a school without either
has not been asked. What neither format has a column for stands in `annotations.csv`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from adapters.education.ctf import read_ctf
from adapters.education.safeguarding_log import read_log
from adapters.kit.lookup.annotations import annotated
from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.holdings import Holdings
from adapters.kit.lookup.records import LoadedRecords, Records
from adapters.kit.lookup.unread import Unread
from schemas.content.rfi import RequestForInformation

_Reader = Callable[[Path, AnswerTable], Holdings]


def open_records(location: str) -> Records:
    """Open the school's folder at `location`."""
    answers = AnswerTable.of("adapters.education")

    def load(_request: RequestForInformation, _as_of: datetime) -> Holdings:
        return read_school(Path(location), answers)

    return LoadedRecords({"education": load})


def read_school(folder: Path, answers: AnswerTable) -> Holdings:
    """Read all files of a school; what cannot be read, or is not there at all, is among `unread`."""
    parts = [
        *_read(folder, pattern="*.xml", reader=read_ctf, answers=answers),
        *_read(folder, pattern="safeguarding_log*.csv", reader=read_log, answers=answers),
    ]
    whole = Holdings(
        tuple(person for part in parts for person in part.persons),
        tuple(record for part in parts for record in part.records),
        tuple(gap for part in parts for gap in part.unread),
    )
    return annotated(whole, folder)


def _read(folder: Path, *, pattern: str, reader: _Reader, answers: AnswerTable) -> Iterable[Holdings]:
    paths = sorted(folder.glob(pattern))
    if not paths:
        gap = Unread(pattern, None, None, "no such file is in the folder", "put the export in place")
        return [Holdings(unread=(gap,))]
    return [reader(path, answers) for path in paths]
