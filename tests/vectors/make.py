"""Writes the vectors: `python -m tests.vectors.make [FOLDER]`, by default into schemas/vectors.

Everything follows from labels, so the same files come out every time; a test compares them with those in the tree.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas import base64url
from schemas.directory import canonical_bytes
from tests.vectors import cores, frames, good, origins, sealed, world
from tests.vectors.vector import Vector

FOLDER = Path(__file__).parents[2] / "schemas" / "vectors"


def all_vectors() -> Iterator[Vector]:
    """Give every vector, in the order of the checks."""
    for table in (good, frames, cores, origins, sealed):
        yield from table.vectors()


def _directory() -> dict[str, Any]:
    known = world.directory_of_the_vectors()
    plain: dict[str, Any] = json.loads(canonical_bytes(known.version, known.records, known.pairs, known.suspended))
    return plain | {"history": [past.model_dump(mode="json") for past in known.history]}


def _keys() -> dict[str, Any]:
    roles: dict[str, Any] = {}
    prekeys: dict[str, Any] = {}
    for role, opens in {**world.ROLES, world.EXTRA_ROLE: (1,)}.items():
        number = world.role_id(world.RECIPIENT, role)
        roles[number] = {"name": role, "opens": list(opens)}
        for which, (not_before, not_after) in world.WINDOWS.items():
            if which == "erased":
                continue
            private = base64url.encode(world.private_prekey(world.RECIPIENT, role, which))
            window = {"not_before": not_before, "not_after": not_after}
            prekeys[world.prekey_id(world.RECIPIENT, role, which)] = {"role": number, "private": private, **window}
    return {"participant": world.RECIPIENT, "roles": roles, "prekeys": prekeys}


def files() -> Iterator[tuple[str, bytes]]:
    """Give every file's name and content."""
    plain: dict[str, Any] = {"directory.json": _directory(), "keys.json": _keys()}
    for vector in all_vectors():
        if vector.file_name in plain:
            raise ValueError(f"two vectors named {vector.file_name}")
        plain[vector.file_name] = vector.to_plain()
    for name, content in plain.items():
        yield name, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def main() -> None:
    """Write the files and remove those that are no longer made."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    made = dict(files())
    for stale in {file.name for file in folder.glob("*.json")} - made.keys():
        (folder / stale).unlink()
    for name, content in made.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
