"""Time and memory of short `mnist` commands, compared with TensorFlow and with bare imports.

    python -m benchmarks.cold_start

Installs the package and TensorFlow into a new virtual environment, as users do: not editable, with
compiled bytecode. The commands take turns, so that a machine that changes its speed affects all of
them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import ROOT, SAVED_MODEL, machine, median_and_range

ROUNDS = 15
SAMPLE = str(ROOT / "samples" / "MNIST-0.png")
PACKAGES = ("tensorflow=", "ai-edge-litert=", "typer=", "rich=", "numpy=", "pillow=")


@dataclass
class Command:
    """A command line and its measurements, one for each run."""

    name: str
    arguments: list[str]
    seconds: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run the command once and record its wall time and its peak resident memory."""
        start = time.perf_counter()
        process = subprocess.Popen(
            self.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - start)
        self.memory_mb.append(usage.ru_maxrss / 1024)
        if status:
            sys.exit(f"{self.name} failed")

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    @property
    def median_mb(self) -> float:
        return statistics.median(self.memory_mb)


def main() -> None:
    """Measure all commands, then print a table and the ratios with their targets."""
    with tempfile.TemporaryDirectory() as folder:
        bin = _install_package(Path(folder))
        python, mnist = str(bin / "python"), str(bin / "mnist")
        script = str(ROOT / "benchmarks" / "tensorflow_peer.py")
        predict = Command("mnist predict", [mnist, "predict", SAMPLE])
        peer = Command("TensorFlow script", [python, script, str(SAVED_MODEL), SAMPLE])
        modules = "import numpy, PIL.Image, ai_edge_litert.interpreter"
        imports = Command(modules, [python, "-c", modules])
        help = Command("mnist --help", [mnist, "--help"])
        typer = Command("import typer, rich", [python, "-c", "import typer, rich"])
        commands = [predict, peer, imports, help, typer]
        for command in commands:
            command.run()  # fills the file cache; not counted
            command.seconds, command.memory_mb = [], []
        for _ in range(ROUNDS):
            for command in commands:
                command.run()
        versions = subprocess.check_output(
            [python, "-m", "pip", "list", "--format", "freeze"], text=True
        ).split()
    print(machine())
    print(", ".join(version for version in versions if version.startswith(PACKAGES)))
    print(f"medians of {ROUNDS} runs\n")
    for command in commands:
        seconds = median_and_range(command.seconds, 3)
        print(f"{command.name:<52} {seconds} s {command.median_mb:6.1f} MB")
    print(f"\n{'ratio':<62}target")
    for name, ratio, target in (
        ("time: TensorFlow / mnist predict", peer.median_s / predict.median_s, "at least 12"),
        ("memory: mnist predict / TensorFlow", predict.median_mb / peer.median_mb, "under 1/6"),
        ("time: mnist predict / bare imports", predict.median_s / imports.median_s, "at most 1.55"),
        ("time: mnist --help / import typer, rich", help.median_s / typer.median_s, "at most 1.5"),
    ):
        print(f"{name:<52} {ratio:6.3f}   {target}")


def _install_package(folder: Path) -> Path:
    """Install the package into a new virtual environment and return its folder of programs."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"{ROOT}[tensorflow]"]
    subprocess.run(pip, check=True)
    return folder / "bin"


if __name__ == "__main__":
    main()
