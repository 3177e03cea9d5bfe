"""An agency's own part in the directory: signs its record with its identity key, for the hub to publish.

The identity key signs this and nothing else. The version of the signed file is the time in seconds: it rises without
a counter that a restore could turn back. The private keys were durable before this is called (C35).
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.kit.failpoints import reach
from adapters.kit.keys.keyring import Keyring
from broker.directory.keys import key_of_identity
from broker.directory.shelf import role_name, target_path
from broker.directory.tuf import CryptoSigner, Metadata, TargetFile, Targets

# The windows of the keys inside bound their use; an expiry here would make readers disagree about one version.
RECORD_LIFE: Final = timedelta(days=3650)


def sign_record(keyring: Keyring, *, folder: Path, now: datetime) -> tuple[Path, Path]:
    """Write the agency's record and the metadata that vouches for it into `folder`, and say where they are."""
    record = keyring.directory_record()
    content = record.model_dump_json().encode()
    name = record.participant
    target = TargetFile.from_data(target_path(name), content, ["sha256"])
    signed = Targets(int(now.timestamp()), expires=now + RECORD_LIFE, targets={target_path(name): target})
    metadata = Metadata(signed)
    private = Ed25519PrivateKey.from_private_bytes(keyring.identity_seed().reveal())
    metadata.sign(CryptoSigner(private, key_of_identity(record.identity)))
    reach("C35")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_bytes(content)
    metadata.to_file(str(folder / f"{role_name(name)}.json"))
    return folder / f"{role_name(name)}.json", folder / f"{name}.json"
