"""Which exceptions are a plain "no" to the person at the keyboard, and what is said then; the rest is our fault."""

from pydantic import ValidationError

from adapters.kit.answer import NothingWorded
from adapters.kit.disclosure import RulePackInvalid
from adapters.kit.filing import NotHere
from adapters.kit.records import RecordsUnavailableError
from adapters.kit.refusal import Refused
from adapters.kit.request_file import UnknownRecord
from adapters.kit.settings import SettingsUnreadable
from adapters.kit.store_errors import StoreError
from adapters.la.console.form import FormUnreadable
from adapters.la.console.register import RegisterUnreadable
from broker.errors import HubError

_SAID_AS_THEY_STAND = (
    FormUnreadable,
    HubError,
    NotHere,
    NothingWorded,
    RecordsUnavailableError,
    RegisterUnreadable,
    RulePackInvalid,
    SettingsUnreadable,
    StoreError,
    UnknownRecord,
)


def reasons_of(fault: Exception) -> tuple[str, ...] | None:
    """Give the lines to say, or None for a fault of ours that must not be swallowed."""
    if isinstance(fault, Refused):
        return fault.reasons
    if isinstance(fault, ValidationError):
        return tuple(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors(include_input=False))
    if isinstance(fault, _SAID_AS_THEY_STAND):
        headline = (type(fault).__doc__ or "").splitlines()[0]
        said = str(fault)
        return (said if headline in said else f"{said}: {headline}",)
    return None
