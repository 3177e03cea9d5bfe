"""The month's reports and the inspection sample: what may be published, what stays inside, and how both are proved.

It guarantees: a report that may leave the partnership shows no count from 1 to 5 and none that can be worked out
(REC-19); the same ledger gives the same report and the same sample; what names requests one by one is in other files,
in another folder, and says on every page that it is not for publication.
It refuses to know anything about a person: references, participants, ratings, moments and reason codes are all it has.

`handled` reads one month out of histories, `tables` makes sheets of it, `from_ledger` makes histories of stubs,
`month_report` and `paper` print them; `draw` and `sample` make the sample, `sample_check` proves it.
"""

from broker.reports.handled import Handled, History, handled_in
from broker.reports.months import Month, NotAMonth
from broker.reports.sheets import HIDDEN, NOT_FOR_PUBLICATION, Sheet, csv_of
from broker.reports.tables import (
    OverrideReason,
    late_list,
    overrides,
    rerating_list,
    reratings,
    response_times,
)

__all__ = [
    "HIDDEN",
    "NOT_FOR_PUBLICATION",
    "Handled",
    "History",
    "Month",
    "NotAMonth",
    "OverrideReason",
    "Sheet",
    "csv_of",
    "handled_in",
    "late_list",
    "overrides",
    "rerating_list",
    "reratings",
    "response_times",
]
