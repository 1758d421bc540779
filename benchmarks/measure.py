"""Paths and measurements that the speed benchmarks share."""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAVED_MODEL = ROOT / "saved_models" / "k_cnn"
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
"""Flags of Linux for instructions that make 8-bit inference faster, on x86-64 and ARM."""


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
    """Return the processor, its instructions for inference, the cores and the version of Python."""
    cpu = dict(re.findall(r"^(model name|flags)\s*: (.*)$", _cpuinfo(), re.M))
    flags = cpu.get("flags", "").split()
    instructions = ", ".join(flag for flag in INSTRUCTIONS if flag in flags)
    processor = cpu.get("model name", platform.processor())
    cores, python = os.cpu_count(), platform.python_version()
    return f"{platform.machine()}, {processor} ({instructions}), {cores} cores, Python {python}"


def _cpuinfo() -> str:
    file = Path("/proc/cpuinfo")
    return file.read_text() if file.exists() else ""


def parse_data_folder(module: str, description: str) -> Path:
    """Return the folder in the option `--data` of a benchmark, its only one."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's IDX files")
    folder: Path = parser.parse_args().data
    return folder


def convert_to_onnx(saved_model: Path, file: Path) -> None:
    """Convert a SavedModel to ONNX with tf2onnx, which has to be installed."""
    command = [sys.executable, "-m", "tf2onnx.convert", "--opset", "17"]
    command += ["--saved-model", str(saved_model), "--output", str(file)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
