"""Checks on any system that an installed `mnist` works: its commands, and requests to a server."""

import json
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from mnist_cli.package_data import data_folder

MNIST = [sys.executable, "-m", "mnist_cli"]
SAMPLES = data_folder("samples")


def run(*arguments: str | Path, cwd: Path) -> list[dict[str, Any]]:
    """Run a command, and return the JSON objects that it prints."""
    done = subprocess.run([*MNIST, *arguments], stdout=subprocess.PIPE, check=True, cwd=cwd)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_commands(folder: Path) -> None:
    [digit] = run("predict", SAMPLES / "MNIST-7.png", cwd=folder)
    assert digit["prediction"] == 7, digit
    [number] = run("predict", "--multi", SAMPLES / "house-number-407.png", cwd=folder)
    assert number["text"] == "407", number
    [model] = run("inspect-model", "k_cnn", cwd=folder)
    assert model["compiled"]["state"] == "fresh", model
    batch = ("predict-batch", SAMPLES, "--processes", "2", "--glob", "MNIST-*.png")
    for resume in ((), ("--resume",)):
        run(*batch, "--output", "digits.jsonl", *resume, cwd=folder)
    lines = (folder / "digits.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["prediction"] for line in lines] == list(range(10)), lines
    assert [file.name for file in folder.iterdir()] == ["digits.jsonl"]


def check_server(folder: Path) -> None:
    flags, stop = 0, signal.SIGTERM
    if sys.platform == "win32":
        flags, stop = subprocess.CREATE_NEW_PROCESS_GROUP, signal.CTRL_BREAK_EVENT
    command = [*MNIST, "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, creationflags=flags
    ) as server:
        assert server.stderr
        announcement = server.stderr.readline().decode()
        found = re.search(r"http://\S+", announcement)
        assert found, announcement
        with urllib.request.urlopen(found[0]) as answer:
            assert json.load(answer)["prediction"] == 0
        picture = (SAMPLES / "MNIST-7.png").read_bytes()
        request = urllib.request.Request(
            found[0] + "predict", picture, {"Content-Type": "image/png"}
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["prediction"] == 7
        server.send_signal(stop)
        assert server.wait(timeout=60) == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        check_commands(Path(name))
        check_server(Path(name))
