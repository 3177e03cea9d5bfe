"""What a run cost: processor seconds by program, memory of a process, and how busy others kept the machine.

Read from /proc; figures of a shared machine mean little without them.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE_MB: Final = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Work:
    """Processor seconds so far: of this run's programs by name, and of the whole machine."""

    by_name: Counter[str]
    machine: float

    def since(self, before: "Work", *, seconds: float, count: int) -> dict[str, object]:
        """Say what was worked since `before`, in milliseconds for each of `count`, and in cores."""
        mine = {name: spent - before.by_name[name] for name, spent in self.by_name.items()}
        each = {name: round(spent * 1000 / count, 1) for name, spent in sorted(mine.items(), key=lambda one: -one[1])}
        everything, ours = (self.machine - before.machine) / seconds, sum(mine.values()) / seconds
        return {
            "worked_ms_a_request": {name: spent for name, spent in each.items() if spent},
            "worked_ms_a_request_in_all": round(sum(mine.values()) * 1000 / count, 1),
            "cores_of_this_run": round(ours, 2),
            "cores_of_others": round(max(0.0, everything - ours), 2),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
        }


def work(names: dict[int, str]) -> Work:
    """Read what every descendant of this process has worked; `names` calls some by another name than their program."""
    parents, spent, called = {}, {}, {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (read := _read(folder)) is not None:
            pid = int(folder.name)
            called[pid], parents[pid], spent[pid] = names.get(pid, read[0]), read[1], read[2]
    total: Counter[str] = Counter()
    for pid, seconds in spent.items():
        if _descends(pid, parents):
            total[called[pid]] += seconds  # type: ignore[assignment]  # a Counter counts fractions as well
    return Work(total, _machine())


def memory_mb(pid: int | str = "self") -> float:
    """Give the resident memory of a process in MiB."""
    return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE_MB


def _read(folder: Path) -> tuple[str, int, float] | None:
    try:
        text = (folder / "stat").read_text()
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, int(fields[1]), (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / _TICKS


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != os.getpid():
        pid = parents[pid]
    return pid == os.getpid()


def _machine() -> float:
    fields = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq = (int(field) for field in fields[:7])
    return (user + nice + system + irq + softirq) / _TICKS
