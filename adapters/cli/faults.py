"""Which exceptions are a plain "no" to the person at the keyboard, and what is said then; the rest is our fault."""

from pydantic import ValidationError

from adapters.kit.desk.answer import NothingWorded
from adapters.kit.desk.request_file import UnknownRecord
from adapters.kit.disclosure import RulePackInvalid
from adapters.kit.envelope.sealing import CannotSeal
from adapters.kit.keys.keyfile import DamagedKeyFile
from adapters.kit.keys.keyring import NoSigningKey
from adapters.kit.keys.protectors import CannotUnlock, ReadableByOthers, TooWeak
from adapters.kit.lookup.records import RecordsUnavailableError
from adapters.kit.refusal import Refused
from adapters.kit.running.chores import HubSilent
from adapters.kit.running.sandbox_directory import DirectoryUnreadable, NotASandbox
from adapters.kit.running.settings import SettingsUnreadable
from adapters.kit.store.errors import StoreError
from adapters.kit.store.filing import NotHere
from adapters.la.console.form import FormUnreadable
from adapters.la.console.register import RegisterUnreadable
from broker.directory.client import DirectoryDamaged, NoDirectory, NotPinned
from broker.errors import HubError

_SAY_IT_ALL = (FormUnreadable, RegisterUnreadable, SettingsUnreadable, StoreError)
"""Their text says what is wrong, where, and what to do."""

_SAY_WHAT_IT_MEANS = (
    CannotSeal,
    CannotUnlock,
    DamagedKeyFile,
    DirectoryDamaged,
    DirectoryUnreadable,
    HubError,
    HubSilent,
    NoDirectory,
    NoSigningKey,
    NotASandbox,
    NotHere,
    NotPinned,
    NothingWorded,
    ReadableByOthers,
    RecordsUnavailableError,
    RulePackInvalid,
    TooWeak,
    UnknownRecord,
)
"""Their docstring says what it means and what to do; their text adds a path or a reference."""


def reasons_of(fault: Exception) -> tuple[str, ...] | None:
    """Give the lines to say, or None for a fault of ours that must not be swallowed."""
    if isinstance(fault, Refused):
        return fault.reasons
    if isinstance(fault, ValidationError):
        return tuple(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors(include_input=False))
    if isinstance(fault, _SAY_IT_ALL):
        return (str(fault),)
    if isinstance(fault, _SAY_WHAT_IT_MEANS):
        return (_meaning_and_place(fault),)
    if isinstance(fault, OSError) and fault.filename:
        return (f"{fault.filename}: {fault.strerror}",)
    return None


def _meaning_and_place(fault: Exception) -> str:
    meaning = " ".join((type(fault).__doc__ or "").split())
    place = str(fault)
    return f"{place}: {meaning}" if place and meaning not in place else place or meaning
