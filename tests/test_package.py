"""The contents of the wheel, and the README compared with the program."""

import doctest
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_cli.errors import ExitCode
from mnist_cli.loader import find_models
from tests.running import ROOT, SAMPLES, run, run_on_terminal, run_process
from tests.serving import Server, serving

README = (ROOT / "README.md").read_text()
# Blocks after a comment, such as `<!-- not run: ... -->`, are left out.
CONSOLE_BLOCK = re.compile(r"(?<!-->\n)^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [file] = folder.iterdir()
    return file


def test_the_wheel_contains_the_models_and_samples_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for model in find_models():
        for file in ("saved_model.pb", "statistics.json", "assets.extra/model.tflite"):
            assert f"mnist_cli/saved_models/{model.name}/{file}" in names
    assert {"mnist_cli/samples/MNIST-0.png", "mnist_cli/py.typed"} <= names
    assert {name.partition("/")[0] for name in names} == {
        "mnist_cli",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }


def test_the_package_index_accepts_the_wheel(wheel: Path) -> None:
    check = [sys.executable, "-m", "twine", "check", "--strict", str(wheel)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_an_installed_package_works_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    result = run_process(
        "predict",
        "--verbose",
        SAMPLES / "MNIST-8.png",
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
    )
    assert result.record["prediction"] == 8
    assert f"from {tmp_path}/site/mnist_cli/saved_models/k_cnn runs in litert" in result.stderr


@pytest.fixture(scope="module")
def newcomer(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the samples, and a new environment with the wheel without extras."""
    folder = tmp_path_factory.mktemp("newcomer")
    shutil.copytree(SAMPLES, folder / "samples")
    python = str(Path(sys.base_prefix) / "bin" / "python3")  # has pip, unlike this environment
    for command in (
        [python, "-m", "venv", "--without-pip", ".venv"],
        [python, "-m", "pip", "--python", ".venv", "install", "--quiet", str(wheel)],
    ):
        subprocess.run(command, check=True, cwd=folder)
    return folder


@pytest.fixture
def _newcomer_environment(newcomer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the environment of the newcomer in all commands."""
    monkeypatch.chdir(newcomer)
    monkeypatch.setenv("PATH", f"{newcomer}/.venv/bin{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def newcomer_server(_newcomer_environment: None) -> Iterator[Server]:
    with serving(program=["mnist"], env={"PYTHONPATH": ""}) as server:
        yield server


def test_a_newcomer_can_run_the_commands_of_the_readme(newcomer_server: Server) -> None:
    env = {"PYTHONPATH": "", "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    commands = COMMAND.findall("".join(CONSOLE_BLOCK.findall(README)))
    assert commands
    for command, expected in commands:
        command = command.replace(":8000", f":{newcomer_server.port}")
        printed = run_on_terminal("-c", command, program=["bash"], env=env)
        printed = re.sub(r"\x1b\[[0-9;]*m", "", printed)  # colours of jq
        if not doctest.OutputChecker().check_output(expected, printed, flags):
            pytest.fail(f"$ {command}\n{printed}")


def test_a_newcomer_can_use_the_server(newcomer_server: Server) -> None:
    picture = (SAMPLES / "MNIST-7.png").read_bytes()
    answer = newcomer_server.ask("POST", "/predict", picture, Content_Type="image/png")
    assert (answer.status, answer.json["prediction"]) == (200, 7)


@pytest.mark.usefixtures("_newcomer_environment")
def test_a_newcomer_has_the_python_api_without_tensorflow(newcomer: Path) -> None:
    code = "import importlib.util, mnist_cli; print(mnist_cli.__file__);"
    code += "print(mnist_cli.predict('samples/MNIST-7.png').digit);"
    code += "print(importlib.util.find_spec('tensorflow'))"
    result = run_process("-c", code, program=["python"], env={"PYTHONPATH": ""})
    assert (result.code, result.stderr) == (0, "")
    file, digit, tensorflow = result.stdout.splitlines()
    assert file.startswith(f"{newcomer}/.venv/")
    assert (digit, tensorflow) == ("7", "None")


def test_the_readme_lists_all_exit_codes() -> None:
    documented = re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)
    assert [int(code) for code in documented] == sorted(ExitCode)


def test_the_readme_lists_the_statistics_of_the_models() -> None:
    rows = dict(re.findall(r"^\| `([tek]_\w+)` \|(.*)\|$", README, re.MULTILINE))
    assert sorted(rows) == [model.name for model in find_models()]
    for model in find_models():
        figures = model.statistics
        for figure in (
            f"{figures['accuracy']:.2%}",
            f"{figures['ece']:.2%}",
            f"{figures['parameters']:,}",
        ):
            assert figure.replace("%", " %") in rows[model.name]


def test_the_readme_and_the_help_list_the_same_options() -> None:
    documented = set(re.findall(r"--[a-z][a-z-]+", README))
    helped = set()
    commands = ("predict", "predict-batch", "inspect-model", "serve", "evaluate")
    for command in ([], *([name] for name in commands)):
        helped |= set(re.findall(r"--[a-z][a-z-]+", run(*command, "--help").stdout))
    # Options of Python, pip and ruff.
    assert documented - helped == {"--without-pip", "--python", "--check"}
    # Only in the help.
    assert helped - documented == {"--show-completion", "--version"}
