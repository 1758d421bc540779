"""The contents of the wheel."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_cli.loader import find_models
from tests.documentation import README, blocks, check_outputs, with_server
from tests.running import ROOT, SAMPLES, run_process
from tests.serving import Server, serving


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


def test_the_description_needs_no_other_files(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    description = archive.read(name).decode().partition("\n\n")[2]
    assert description.startswith("# mnist\n")
    assert re.findall(r"<img|<picture|!\[|\]\((?!https?:)|<!--", description) == []
    assert "Server (`docs/server.md`)" in description


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
    found = [block for block in blocks(README) if block.is_run and block.language == "console"]
    assert found
    for block in found:
        text = with_server(block.text, newcomer_server)
        check_outputs(block.place, text, env={"PYTHONPATH": ""})


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
