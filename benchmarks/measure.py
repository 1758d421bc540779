"""Paths and measurements that the speed benchmarks share."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAVED_MODEL = ROOT / "saved_models" / "k_cnn"


def pss_mb(pid: int) -> float:
    """Return the proportional set size of a process in MB, or 0 if the process has ended.

    Shared pages are divided among the processes that share them, so the sizes of several processes
    can be added up.
    """
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]) / 1000  # type: ignore[index]


def median_and_range(values: Sequence[float], decimals: int) -> str:
    """Format repeated measurements as `median (minimum to maximum)`."""
    median, low, high = (
        f"{value:.{decimals}f}" for value in (statistics.median(values), min(values), max(values))
    )
    return f"{median} ({low} to {high})"


def machine() -> str:
    """Return the architecture, the number of cores and the version of Python."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
