"""The names of python-tuf and securesystemslib that the directory uses, gathered because both re-export them silently.

Their packages import these from private modules without saying so to type checkers; here that is excused once.
"""

from securesystemslib.signer import (  # type: ignore[attr-defined]  # re-exported, as its documentation shows
    CryptoSigner,
    Key,
    Signature,
    Signer,
    SSlibKey,
)
from tuf.api.metadata import (  # type: ignore[attr-defined]  # re-exported, as its documentation shows
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.ngclient import (  # type: ignore[attr-defined]  # re-exported, as its documentation shows
    FetcherInterface,
    Updater,
    UpdaterConfig,
)

__all__ = [
    "CryptoSigner",
    "DelegatedRole",
    "Delegations",
    "FetcherInterface",
    "Key",
    "MetaFile",
    "Metadata",
    "Role",
    "Root",
    "SSlibKey",
    "Signature",
    "Signer",
    "Snapshot",
    "TargetFile",
    "Targets",
    "Timestamp",
    "Updater",
    "UpdaterConfig",
]
