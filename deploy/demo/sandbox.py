"""`python -m deploy.demo.sandbox DIR`: nine adapters of a fictional area in one folder, to try `mash` on, no server.

The clock is the real one, the keys are new, the records are the synthetic samples. Nothing leaves the folder.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.kit.running.adapter import Adapter
from adapters.kit.running.sandbox_directory import write_unsigned_directory
from adapters.kit.running.settings import load_settings
from deploy.demo.agencies import ASKED, COUNCIL, MANAGER
from deploy.demo.area import FORM, make_homes
from schemas.directory import Directory

KEYS_AHEAD = timedelta(days=60)


def main(arguments: list[str]) -> int:
    """Make the sandbox and say what to do with it."""
    if len(arguments) != 1:
        print("usage: python -m deploy.demo.sandbox DIR", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty; name a new folder", file=sys.stderr)
        return 1
    make_sandbox(folder)
    print(_next_steps(folder))
    return 0


def make_sandbox(folder: Path) -> Directory:
    """Make the homes of all participants, with stores that are ready for commands."""
    folder.mkdir(parents=True, exist_ok=True)
    directory = make_homes(folder, hub="embedded:../hub.db", now=datetime.now(UTC), ahead=KEYS_AHEAD)
    write_unsigned_directory(folder / "directory.json", directory)
    asyncio.run(_prepare_stores(folder, directory))
    return directory


async def _prepare_stores(folder: Path, directory: Directory) -> None:
    for participant in directory.records:
        settings = load_settings(folder / participant)
        async with Adapter.opened(settings, directory=lambda: directory, exclusive=True):
            pass


def _next_steps(folder: Path) -> str:
    return f"""A sandbox of {len(ASKED) + 1} agencies is in {folder}. A first enquiry:

  export MASH_HOME={folder / COUNCIL} MASH_USER={MANAGER}
  mash enquiry new ENQ-1 {FORM}
  mash enquiry choose ENQ-1 testford-housing --rationale "council tenancy" --public-task
  mash enquiry rate ENQ-1 AMBER --rationale "neglect reported by the school"
  mash enquiry issue ENQ-1
  mash run --once                                              # the council sends
  mash --help

  export MASH_HOME={folder / "testford-housing"} MASH_USER=housing-lead
  mash run --once                                              # housing receives
  mash inbox list                                              # the request's reference, RFI-...
  mash respond propose RFI-...                                 # what was found, and what to do before it can be sent
  mash respond form RFI-... > form.yaml                        # why it is lawful; fill in what is empty
  mash respond record RFI-... form.yaml
  mash respond send RFI-... && mash run --once

What the hub sees of all this, in a terminal of its own:

  mash-hub watch --hub embedded:{folder / "hub.db"} --directory {folder / "directory.json"} --db {folder / "ledger.db"}
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
