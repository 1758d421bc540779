"""The first use of a model: progress, processes that share the result, and the cache."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings
from tests import models
from tests.models import Weights, files, variants
from tests.running import MNIST, ROOT, SAMPLES, run, run_on_terminal, run_process

DIGIT = SAMPLES / "MNIST-0.png"
COMPILING = "compiling mine with TensorFlow, once ..."


@pytest.fixture
def model(tmp_path: Path, weights: Weights) -> Path:
    return models.tensorflow_1(tmp_path / "mine", weights)


def test_compiling_shows_a_spinner_on_a_terminal(model: Path) -> None:
    arguments = ("predict", "--model", model, DIGIT)
    first, second = run_on_terminal(*arguments), run_on_terminal(*arguments)
    assert COMPILING in first and COMPILING not in second
    assert "100.00 %" in first and "100.00 %" in second
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]) / "mnist")
    assert COMPILING not in run_on_terminal(*arguments, "--quiet")
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]) / "mnist")
    assert COMPILING in run_on_terminal("inspect-model", model)


def test_compiling_is_reported_with_verbose(model: Path) -> None:
    result = run_process("predict", "--verbose", "--model", model, DIGIT)
    assert result.stderr.count(COMPILING) == 1
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]) / "mnist")
    assert COMPILING not in run_process("predict", "--model", model, DIGIT).stderr


def test_inspect_model_keeps_what_it_compiled(model: Path) -> None:
    assert run("inspect-model", model).record["compiled"]["state"] == "fresh"
    result = run("predict", "--verbose", "--model", model, DIGIT)
    assert "runs in litert" in result.stderr and COMPILING not in result.stderr


def test_processes_that_start_at_once_share_the_compiled_model(model: Path) -> None:
    processes = [
        subprocess.Popen(
            [*MNIST, "predict", "--verbose", "--model", model, DIGIT],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert len({stdout for stdout, _ in outputs}) == 1
    assert json.loads(outputs[0][0])["prediction"] == 0
    assert sum(stderr.count(COMPILING) for _, stderr in outputs) == 1
    assert sum(stderr.count("self-test") for _, stderr in outputs) == 1


def _entry() -> Path:
    [card] = (Path(os.environ["XDG_CACHE_HOME"]) / "mnist").rglob("model.json")
    return card.parent


def test_the_cache_is_private(model: Path) -> None:
    root = Path(os.environ["XDG_CACHE_HOME"]) / "mnist"
    root.mkdir(parents=True)
    root.chmod(0o777)
    run("predict", "--model", model, DIGIT)
    for folder in (root, _entry()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def _link_folder(entry: Path) -> None:
    shutil.move(entry, entry.parent.parent / "elsewhere")
    entry.symlink_to(entry.parent.parent / "elsewhere")


def _link_file(entry: Path) -> None:
    shutil.move(entry / "model.tflite", entry.parent.parent / "elsewhere")
    (entry / "model.tflite").symlink_to(entry.parent.parent / "elsewhere")


def _truncate(entry: Path) -> None:
    os.truncate(entry / "model.tflite", 1000)


def _corrupt_card(entry: Path) -> None:
    (entry / "model.json").write_text("{")


def _folder_for_file(entry: Path) -> None:
    for name in ("model.json", "model.tflite"):
        (entry / name).unlink()
        (entry / name / "folder").mkdir(parents=True)


def _file_for_folder(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_bytes(b"")


def _open_to_all(entry: Path) -> None:
    entry.chmod(0o777)


def _open_root_to_all(entry: Path) -> None:
    entry.parent.chmod(0o777)


def _of_another_user(entry: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(entry / "model.tflite", 65534, 65534)


@pytest.mark.parametrize(
    "change",
    [
        _link_folder,
        _link_file,
        _truncate,
        _corrupt_card,
        _folder_for_file,
        _file_for_folder,
        _open_to_all,
        _open_root_to_all,
        _of_another_user,
    ],
)
def test_an_entry_that_may_be_forged_or_damaged_is_rebuilt(change: object, model: Path) -> None:
    arguments = ("predict", "--verbose", "--model", model, DIGIT)
    run(*arguments)
    assert callable(change)
    change(_entry())
    for runtime in ("tensorflow", "litert"):
        result = run(*arguments)
        assert result.record["prediction"] == 0
        assert f"runs in {runtime}" in result.stderr
    assert not (_entry() / "model.tflite").is_symlink()
    assert not _entry().is_symlink()


@pytest.mark.parametrize("make", [os.mkfifo, lambda lock: Path(lock).symlink_to("/dev/full")])
def test_a_lock_that_is_a_pipe_or_a_link(make: Callable[[str], None], model: Path) -> None:
    """Another user may have made it while the cache was open to all."""
    run("predict", "--model", model, DIGIT)
    [lock] = (Path(os.environ["XDG_CACHE_HOME"]) / "mnist").glob("*.lock")
    shutil.rmtree(_entry())
    lock.unlink()
    make(str(lock))
    assert run("predict", "--model", model, DIGIT).record["prediction"] == 0
    result = run("predict", "--verbose", "--model", model, DIGIT)
    assert "runs in litert" in result.stderr


def _with_lgamma(logits: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {"scores": tf.nn.softmax(logits + tf.math.lgamma(2 + 0 * logits))}


def test_a_model_that_litert_cannot_run_is_tested_once(tmp_path: Path, weights: Weights) -> None:
    model = variants.variant(tmp_path / "mine", weights, to_outputs=_with_lgamma)
    arguments = ("predict", "--verbose", "--model", model, DIGIT)
    for is_first in (True, False):
        result = run(*arguments)
        assert result.record["prediction"] == 0
        assert "runs in tensorflow" in result.stderr
        assert ("self-test" in result.stderr) == is_first
    assert run("inspect-model", model).record["self_test"]["correct"] >= 85
    for command in ("predict", "predict-batch"):
        failed = run(command, "--runtime", "litert", "--model", model, DIGIT)
        assert failed.code == 4
        assert "LiteRT cannot run it: " in failed.error
    [failure] = (Path(os.environ["XDG_CACHE_HOME"]) / "mnist").rglob("failed.json")
    failure.chmod(0o666)  # now others could have written it
    assert "self-test" in run(*arguments).stderr


def test_a_cache_that_is_a_link_is_not_used(model: Path, tmp_path: Path) -> None:
    root = Path(os.environ["XDG_CACHE_HOME"])
    (tmp_path / "elsewhere").mkdir()
    root.mkdir()
    (root / "mnist").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        result = run("predict", "--verbose", "--model", model, DIGIT)
        assert "runs in tensorflow" in result.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_server_keeps_a_model_that_is_replaced_or_removed(
    tmp_path: Path, weights: Weights
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    files.tflite(folder / "mine.tflite", files.keras_model(weights, shape=(28, 28)))
    client = create_app(Settings("mine", folder)).test_client()

    def answers() -> list[object]:
        picture = {"data": DIGIT.read_bytes(), "content_type": "image/png"}
        return [
            client.post("/predict?scores=1", **picture).get_json(),
            client.get("/v2/models/mine").get_json(),
            client.get("/v1/models/mine/metadata").get_json(),
            client.get("/v2/health/ready").status_code,
            client.get("/openapi.json").get_json(),
        ]

    before = answers()
    other = files.keras_model(Weights(weights.kernel[:, ::-1], weights.bias[::-1]))
    files.tflite(folder / "mine.tflite", other)
    assert answers() == before
    (folder / "mine.tflite").unlink()
    assert answers() == before
