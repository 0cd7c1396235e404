"""Says on what a figure was measured: processor, load, interpreter, and how long the disk takes to promise a page."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from benchmarks.rounds import spin

PACKAGES = ("aiokafka", "asyncpg", "fastapi", "httptools", "msgspec", "pydantic", "sqlalchemy", "uvicorn", "uvloop")
PAGE = b"\0" * 8192  # what PostgreSQL writes at a time


class Machine(Struct, frozen=True, kw_only=True):
    """`load` is the number of programs that wanted to run in the last minute; ours had not begun. `spin_ms` are the
    milliseconds of the rounds' fixed work, plain Python: what an interpreter compiled without a profile takes longer for.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    load: float
    fdatasync_us: float
    spin_ms: float | None = None  # older runs have none
    packages: dict[str, str]
    commit: str


def this_machine() -> Machine:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(pages / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
        fdatasync_us=round(_fdatasync(), 1),
        spin_ms=round(spin(), 1),
        packages={name: version(name) for name in PACKAGES},
        commit=_commit(),
    )


def _commit() -> str:
    """Of the source that is measured; empty where there is no Git."""
    asked = ("git", "describe", "--always", "--dirty", "--exclude=*")
    try:
        return subprocess.run(
            asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _fdatasync(times: int = 100) -> float:
    """Median microseconds to make one written page safe, where temporary files lie and the databases will."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            file.seek(0)
            file.write(PAGE)
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6
