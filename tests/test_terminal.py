"""Terminals, pipes and signals: output, progress and exit codes."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mnist_cli import __version__
from mnist_cli.cli import COMMANDS
from mnist_cli.text.models import write_model
from tests import models
from tests.models import Weights
from tests.running import MNIST, ROOT, SAMPLES, Result, Stream, run, run_on_terminal, run_process

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_a_terminal_gets_text_in_colour() -> None:
    screen = run_on_terminal("predict", SAMPLES / "MNIST-7.png")
    assert "\x1b[1;32m7\x1b[0m" in screen
    assert screen.rstrip().endswith("MNIST-7.png")


def test_no_color() -> None:
    for command in (("predict", "--show", SAMPLES / "MNIST-7.png"), ("inspect-model", "t_cnn")):
        screen = run_on_terminal(*command, env={"NO_COLOR": "1"})
        assert "\x1b[3" not in screen and "\x1b[4" not in screen


def test_show_on_a_terminal_draws_gray_levels() -> None:
    screen = run_on_terminal(
        "predict", "--show", SAMPLES / "MNIST-7.png", env={"COLORTERM": "truecolor"}
    )
    assert "\x1b[38;2;255;255;255;48;2;255;255;255m▀" in screen
    assert "\x1b[38;2;0;0;0;48;2;0;0;0m▀" in screen


def test_show_with_16_colours_draws_four_gray_levels() -> None:
    screen = run_on_terminal(
        "predict", "--show", SAMPLES / "MNIST-7.png", env={"TERM": "xterm", "COLORTERM": ""}
    )
    pixels = re.findall(r"\x1b\[(\d+);(\d+)m▀", screen)
    assert {upper for upper, _ in pixels} == {"30", "90", "37", "97"}
    assert {lower for _, lower in pixels} == {"40", "100", "47", "107"}


def test_format_overrides_the_default() -> None:
    assert run_on_terminal("predict", "--format", "json", SAMPLES / "MNIST-7.png")[0] == "{"
    text = run_process("predict", "--format", "text", SAMPLES / "MNIST-7.png").stdout
    assert text.startswith("7 ") and "\x1b" not in text


@pytest.mark.parametrize("format", ["json", "csv", "text"])
def test_a_closed_pipe_is_not_an_error(format: str) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # bytes; the results are longer
    command = [*MNIST, "predict", "--format", format, *[str(SAMPLES / "MNIST-1.png")] * 200]
    with subprocess.Popen(
        command, stdout=writer, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        os.close(writer)
        assert os.read(reader, 1)
        os.close(reader)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (141, b"")


@pytest.mark.parametrize("format", ["json", "csv", "text"])
def test_a_full_disk(format: str) -> None:
    command = [*MNIST, "predict", "--format", format, str(SAMPLES / "MNIST-1.png")]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True, check=False
        )
    assert done.returncode == 74
    [line] = done.stderr.splitlines()
    assert line == "mnist: error: cannot write the results: No space left on device"


@pytest.mark.parametrize("arguments", ["--help", "--version", "predict --help"])
def test_help_on_a_broken_stdout(arguments: str) -> None:
    command = f"{sys.executable} -m mnist_cli {arguments}"
    full = ["bash", "-c", f"{command} > /dev/full"]
    done = subprocess.run(full, capture_output=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (74, 1)
    closed = ["bash", "-c", f"(sleep 1; {command}) | true; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(closed, capture_output=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("columns", ["0", "1", "40", "60", "200"])
def test_nothing_is_lost_on_a_narrow_terminal(columns: str) -> None:
    environment = {"COLUMNS": columns, "NO_COLOR": "1"}
    screen = run_on_terminal("predict", "--show", SAMPLES / "MNIST-7.png", env=environment)
    assert "MNIST-7.png" in screen
    assert screen.count(" %") == 11
    assert "\u2580" in screen or "\u2584" in screen
    card = run_on_terminal("inspect-model", "t_cnn", env=environment)
    assert "dropoutRate:0" in card.replace("\n", "").replace(" ", "")
    models = run_on_terminal("inspect-model", env=environment)
    assert models.count("99.") == models.count("litert") == 6


def test_inspect_model_fits_40_columns() -> None:
    environment = {"COLUMNS": "40", "NO_COLOR": "1"}
    models = run_on_terminal("inspect-model", env=environment)
    assert "parameters  276,586" in models
    card, _, _ = run_on_terminal("inspect-model", "t_cnn", env=environment).partition("operations")
    for line in re.sub(r"\x1b\[[\d;]*m", "", models + card).splitlines():
        assert len(line.rstrip()) <= 40 and "…" not in line


def test_long_names_of_variables_are_folded(tmp_path: Path) -> None:
    name = "network/" + "a_long_scope/" * 9 + "kernel"
    card = json.loads(run("inspect-model", "t_cnn", "--format", "json").stdout)
    card["variables"] = [{"name": name, "dtype": "float32", "shape": [5, 5]}]
    stdout = Stream(True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "40")
        write_model(stdout, card)
    text = re.sub(r"\x1b\[[\d;]*m", "", stdout.getvalue())
    variables = text.partition("1 variables")[2].partition("operations")[0]
    assert "".join(line[:24].strip() for line in variables.splitlines()) == name


@pytest.mark.parametrize("command", ["predict", "predict-batch --quiet"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, command: str) -> None:
    script = f"{sys.executable} -m mnist_cli {command} {SAMPLES}/MNIST-1.png {closed}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=ENVIRONMENT, check=False)
    assert done.returncode == (74 if ">&-" in closed.split() else 0)
    message = b"mnist: error: cannot write the results: stdout is closed\n"
    assert done.stderr == (message if closed == ">&-" else b"")


def test_a_closed_stdout_does_not_matter_with_an_output_file(tmp_path: Path) -> None:
    table = tmp_path / "digits.csv"
    script = (
        f"{sys.executable} -m mnist_cli predict-batch {SAMPLES}/MNIST-1.png -o {table} <&- >&- 2>&-"
    )
    done = subprocess.run(["bash", "-c", script], env=ENVIRONMENT, check=False)
    assert (done.returncode, len(table.read_text().splitlines())) == (0, 2)


def test_ctrl_c() -> None:
    process = subprocess.Popen(
        [*MNIST, "predict", str(SAMPLES / "MNIST-1.png"), "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it has started and waits for stdin
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr) == (130, b"", b"")


def test_tensorflow_prints_nothing(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    self_test = "mnist: info: model mine: self-test 86 of 100, input 0..1, dark background\n"
    for expected in (self_test, ""):  # TensorFlow and its compiler, then LiteRT
        result = run_process("predict", "--model", folder, SAMPLES / "MNIST-0.png")
        assert (result.code, result.stderr) == (0, expected)
        assert result.record["prediction"] == 0


def test_verbose_shows_progress_messages() -> None:
    result = run_process("predict", "--verbose", SAMPLES / "MNIST-0.png")
    assert result.record["prediction"] == 0
    [line] = result.stderr.splitlines()  # without those of LiteRT
    assert line.startswith("mnist: info: model k_cnn from ")
    assert line.endswith("runs in litert")


def test_verbose_hides_the_messages_of_the_detector() -> None:
    result = run_process("predict", "--verbose", "--multi", SAMPLES / "house-number-407.png")
    assert (result.record["text"], len(result.stderr.splitlines())) == ("407", 1)


def test_version() -> None:
    assert run("-V").stdout == run("--version").stdout == f"mnist {__version__}\n"
    assert run_process("--version").stdout == f"mnist {__version__}\n"


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help(command: tuple[str, ...]) -> None:
    short, long = run(*command, "-h"), run(*command, "--help")
    assert short == long
    assert (long.code, long.stderr) == (0, "")
    assert "Usage: mnist" in long.stdout
    if command:
        examples = long.stdout.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
        assert all("mnist" in line or "localhost" in line for line in examples)
        assert len(examples) >= 3
        assert "--debug" in long.stdout


@pytest.mark.parametrize(("columns", "expected"), [(10, 40), (40, 40), (77, 77), (300, 120)])
@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_fits_the_terminal(
    command: tuple[str, ...], columns: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = run(*command, "--help").stdout
    assert "Documentation: README.md" in " ".join(text.split())
    # Commands in examples are not wrapped.
    words, _, options = text.partition("Examples:")
    lines = words.partition("Download the")[0].splitlines()
    lines += options.partition("\n\n")[2].splitlines()
    assert all(len(line) <= expected for line in lines)
    assert max(map(len, lines)) > expected * 0.8 or not command


def test_the_help_has_the_whole_first_sentence_of_each_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    overview = " ".join(run("--help").stdout.split())
    for name in COMMANDS:
        sentence = run(name, "--help").stdout.split("\n\n")[1]
        assert " ".join(sentence.split()) in overview


def test_without_a_command_help_is_shown() -> None:
    result = run()
    assert result.code == 0
    assert result.stdout == run("--help").stdout


def test_help_for_a_command() -> None:
    assert run("help", "predict").stdout == run("predict", "--help").stdout
    assert run("help").stdout == run("--help").stdout
    assert run("help", "nope").code == 2


def _complete(shell: str, words: str, action: str = "get-args") -> Result:
    """Complete the last word as the scripts of the shells do."""
    return run_process(
        env={
            "_MNIST_COMPLETE": f"complete_{shell}",
            "_TYPER_COMPLETE_ARGS": words,
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": words.split()[-1],
            "_TYPER_COMPLETE_FISH_ACTION": action,
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
    )


@pytest.mark.parametrize("command", ["predict --model", "inspect-model", "evaluate"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_knows_the_models(shell: str, command: str) -> None:
    result = _complete(shell, f"mnist {command} t_")
    assert result.code == 0
    assert re.findall(r"\w_\w+", result.stdout) == ["t_cnn", "t_ffnn"]
    script = run_process(env={"_MNIST_COMPLETE": f"source_{shell}"})
    assert script.code == 0
    assert f"complete_{shell}" in script.stdout


def test_fish_completes_files_where_nothing_else_is_possible() -> None:
    assert _complete("fish", "mnist predict --model t_", "is-args").code == 0
    assert _complete("fish", "mnist predict samples/", "is-args").code == 1
