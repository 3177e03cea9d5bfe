"""Run three brokers, cut them apart in every shape, kill them, and count every message.

    python -m deploy.fault [--confirmed N] [--hold SECONDS] [--json]

Without options every fault once, in under five minutes. `--confirmed 200000` goes on, fault after fault, until so many
messages were confirmed. Ends with 1 if one confirmed message was lost or one came that nobody sent; 2 if the system
does not allow network namespaces or RabbitMQ is missing.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path

from deploy.fault.network import enter_own_namespace, inside_own_namespace
from deploy.fault.run import Report, run
from deploy.local.process import LocalServerError


def main() -> int:
    """Run the command line of the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m deploy.fault", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--confirmed", type=int, default=0, help="go on until so many were confirmed")
    parser.add_argument("--hold", type=float, default=14.0, help="seconds that a fault lasts")
    parser.add_argument("--senders", type=int, default=24, help="publishes in flight a lane")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if not inside_own_namespace():
        enter_own_namespace(sys.argv[1:])
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # every cut is on purpose
    with tempfile.TemporaryDirectory(prefix="mash-fault-", ignore_cleanup_errors=True) as folder:
        try:
            report = asyncio.run(
                run(Path(folder), confirmed=options.confirmed, hold=options.hold, senders=options.senders)
            )
        except (LocalServerError, OSError) as fault:
            print(fault, file=sys.stderr)
            return 2
    print(json.dumps(report.plain(), indent=2) if options.json else report.text())
    return _status(report)


def _status(report: Report) -> int:
    return 1 if report.lost or report.unexpected or not report.confirmed else 0


if __name__ == "__main__":
    sys.exit(main())
