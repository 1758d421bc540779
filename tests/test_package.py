"""The contents of the wheel, and the README compared with the program."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mnist_cli.errors import ExitCode
from mnist_cli.loader import find_models
from tests.running import ROOT, SAMPLES, run, run_process

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [file] = folder.iterdir()
    return file


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_package_index_accepts_the_wheel(wheel: Path) -> None:
    check = [sys.executable, "-m", "twine", "check", "--strict", str(wheel)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
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
