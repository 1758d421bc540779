"""Cold start of `mnist`, whole processes, side by side with what it is held against.

    python benchmarks/cold_start.py

It makes a virtual environment of its own with the package installed as users do, not in editable
mode, and with the bytecode compiled. The commands take turns, so that a change in the speed of the
machine meets all of them; medians are compared.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROUNDS = 15
SAMPLE = str(ROOT / "samples" / "MNIST-0.png")
MODEL = str(ROOT / "saved_models" / "k_cnn")


@dataclass
class Command:
    name: str
    arguments: list[str]
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run it once, and note its wall time and its peak of resident memory."""
        start = time.perf_counter()
        process = subprocess.Popen(
            self.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - start)
        self.megabytes.append(usage.ru_maxrss / 1024)
        if status:
            sys.exit(f"{self.name} failed")

    @property
    def time(self) -> float:
        return statistics.median(self.seconds)

    @property
    def memory(self) -> float:
        return statistics.median(self.megabytes)


def main() -> None:
    """Measure, and print a table and the ratios with their targets."""
    with tempfile.TemporaryDirectory() as folder:
        bin = _environment(Path(folder))
        python = str(bin / "python")
        predict = Command("mnist predict", [str(bin / "mnist"), "predict", SAMPLE])
        peer = Command(
            "TensorFlow script", [python, str(ROOT / "benchmarks/peer.py"), MODEL, SAMPLE]
        )
        imports = Command(
            "import numpy, PIL.Image, ai_edge_litert.interpreter",
            [python, "-c", "import numpy, PIL.Image, ai_edge_litert.interpreter"],
        )
        help = Command("mnist --help", [str(bin / "mnist"), "--help"])
        typer = Command("import typer, rich", [python, "-c", "import typer, rich"])
        commands = [predict, peer, imports, help, typer]
        for command in commands:
            command.run()  # once to fill the file cache; not counted
            command.seconds, command.megabytes = [], []
        for _ in range(ROUNDS):
            for command in commands:
                command.run()
        versions = subprocess.check_output(
            [python, "-m", "pip", "list", "--format", "freeze"], text=True
        ).split()
    wanted = ("tensorflow=", "ai-edge-litert=", "typer=", "rich=", "numpy=", "pillow=")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(version for version in versions if version.startswith(wanted)))
    print(f"medians of {ROUNDS} runs each\n")
    for command in commands:
        low, high = min(command.seconds), max(command.seconds)
        print(
            f"{command.name:<52} {command.time:6.3f} s ({low:.3f} to {high:.3f})"
            f" {command.memory:6.1f} MB"
        )
    print()
    for name, ratio, target in (
        ("faster than the TensorFlow script", peer.time / predict.time, "at least 12"),
        ("of its memory", predict.memory / peer.memory, "under 0.167"),
        ("times the bare imports", predict.time / imports.time, "at most 1.8"),
        ("mnist --help, times import typer, rich", help.time / typer.time, "at most 1.5"),
    ):
        print(f"{name:<52} {ratio:6.3f}   {target}")


def _environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", str(ROOT)]
    subprocess.run(pip, check=True)
    return folder / "bin"


if __name__ == "__main__":
    main()
