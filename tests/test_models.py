"""Every form of SavedModel in both runtimes; fresh, stale and corrupt compiled models."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mnist_cli.loader import find_models, load_model
from mnist_cli.option_types import RuntimeChoice
from mnist_cli.reshape import to_model_input
from tests import models
from tests.models import Weights
from tests.running import SAMPLES, WITHOUT_TENSORFLOW, run, run_process, without

Digits = npt.NDArray[np.uint8]
Make = Callable[[Path, Weights], Path]

FORMS: dict[str, Make] = {
    "tensorflow 1, reference variables": models.tensorflow_1,
    "tensorflow 1, resource variables": lambda folder, weights: models.tensorflow_1(
        folder, weights, resource_variables=True
    ),
    "tensorflow 1, no signature": lambda folder, weights: models.tensorflow_1(
        folder, weights, signature=False
    ),
    "tensorflow 1, logits": lambda folder, weights: models.tensorflow_1(
        folder, weights, logits=True
    ),
    "tensorflow 1, learning phase": lambda folder, weights: models.tensorflow_1(
        folder, weights, learning_phase=True
    ),
    "tensorflow 1, learning phase, no signature": lambda folder, weights: models.tensorflow_1(
        folder, weights, learning_phase=True, signature=False
    ),
    "tensorflow 1, other shapes": models.tensorflow_1_with_other_shapes,
    "tensorflow 2, training switch, control flow": models.tensorflow_2,
    "keras 3, [N,784]": lambda folder, weights: models.keras_3(
        folder, weights, shape=(784,), softmax=True
    ),
    "keras 3, [N,28,28]": lambda folder, weights: models.keras_3(
        folder, weights, shape=(28, 28), softmax=True
    ),
    "keras 3, [N,28,28,1], logits": lambda folder, weights: models.keras_3(
        folder, weights, shape=(28, 28, 1), softmax=False
    ),
}

SELF_TEST = "mnist: info: model mine: self-test 86 of 100, input 0..1, dark background\n"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_agrees_with_numpy(
    form: str, tmp_path: Path, weights: Weights, digits: Digits
) -> None:
    folder = str(FORMS[form](tmp_path / "model", weights))
    batch = to_model_input(digits[::10])
    expected = weights.probabilities(batch)
    runtimes: tuple[RuntimeChoice, ...] = ("tensorflow", "litert")
    for runtime in runtimes:
        model = load_model(folder, runtime=runtime)
        assert model.runtime.name == runtime
        np.testing.assert_allclose(model.predict_proba(batch), expected, atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("folder", models.ESTIMATORS, ids=lambda folder: folder.name)
def test_models_of_tf_estimator(
    folder: Path, digits: Digits, labels: npt.NDArray[np.int64]
) -> None:
    _check_two_runs(folder)
    batch = to_model_input(digits)
    reference = load_model(str(folder), runtime="tensorflow").predict_proba(batch)
    compiled = load_model(str(folder), runtime="litert").predict_proba(batch)
    assert (reference.argmax(axis=1) == labels).mean() > 0.9
    np.testing.assert_allclose(compiled, reference, atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [model.name for model in find_models()])
def test_8_bit_weights_hardly_change_the_shipped_models(
    name: str, digits: Digits, labels: npt.NDArray[np.int64]
) -> None:
    batch = to_model_input(digits)
    reference = load_model(name, runtime="tensorflow").predict_proba(batch)
    model = load_model(name, runtime="litert")
    compiled = model.predict_proba(batch)
    assert (compiled.argmax(axis=1) == reference.argmax(axis=1)).mean() >= 0.999
    assert np.abs(compiled - reference).mean() < 0.001
    np.testing.assert_allclose(compiled.sum(axis=1), 1, atol=1e-5)
    assert (compiled.argmax(axis=1) == labels).mean() > 0.99
    one_by_one = np.concatenate([model.predict_proba(row[np.newaxis]) for row in batch[:200]])
    np.testing.assert_array_equal(one_by_one, compiled[:200])


def test_threads_get_the_same_scores_as_one_thread(digits: Digits) -> None:
    model = load_model("t_ffnn")
    batches = [to_model_input(digits[start : start + 50]) for start in range(0, 1000, 50)]
    expected = [model.predict_proba(batch) for batch in batches]
    with ThreadPoolExecutor(8) as threads:
        for scores, once in zip(threads.map(model.predict_proba, batches), expected, strict=True):
            np.testing.assert_allclose(scores, once, atol=1e-6)


def test_a_users_model_is_compiled_once(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    before = sorted(folder.rglob("*"))
    first = run("predict", "--verbose", "--model", folder, SAMPLES / "MNIST-0.png")
    second = run("predict", "--verbose", "--model", folder, SAMPLES / "MNIST-0.png")
    assert first.record == second.record
    assert first.record["prediction"] == 0 and first.record["model"] == "mine"
    assert "runs in tensorflow" in first.stderr and "runs in litert" in second.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_compiled_by_its_first_run(
    form: str, tmp_path: Path, weights: Weights
) -> None:
    _check_two_runs(FORMS[form](tmp_path / "mine", weights))


def _check_two_runs(folder: Path) -> None:
    """Check that both runs read the ten samples, and that the second uses the compiled model."""
    for expected in ("tensorflow", "litert"):
        options = ("--verbose", "--preprocess", "plain", "--model", folder)
        result = run("predict", *options, *(SAMPLES / f"MNIST-{digit}.png" for digit in range(10)))
        assert [record["prediction"] for record in result.records] == list(range(10))
        assert f"runs in {expected}" in result.stderr


def test_a_changed_model_is_compiled_again(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    shutil.rmtree(folder)
    # The same network with its outputs in reverse order.
    models.tensorflow_1(folder, Weights(weights.kernel[:, ::-1], weights.bias[::-1]))
    for expected in ("tensorflow", "litert"):
        options = ("--verbose", "--preprocess", "plain", "--input", "0..1", "--model", folder)
        result = run("predict", *options, SAMPLES / "MNIST-0.png")
        assert result.record["prediction"] == 9
        assert f"runs in {expected}" in result.stderr


def _copy_of_t_ffnn(tmp_path: Path) -> Path:
    [shipped] = [model for model in find_models() if model.name == "t_ffnn"]
    return Path(shutil.copytree(shipped.path, tmp_path / "t_ffnn"))


@pytest.mark.tensorflow
def test_a_stale_compiled_model_is_not_used(tmp_path: Path) -> None:
    folder = _copy_of_t_ffnn(tmp_path)
    card = folder / "assets.extra" / "model.json"
    card.write_text(card.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    result = run("predict", "--verbose", "--model", folder, SAMPLES / "MNIST-3.png")
    assert result.record["prediction"] == 3
    assert "runs in tensorflow" in result.stderr


@pytest.mark.tensorflow
@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "not a model"])
def test_a_corrupt_compiled_model_is_ignored_with_a_warning(tmp_path: Path, damage: str) -> None:
    folder = _copy_of_t_ffnn(tmp_path)
    file = folder / "assets.extra" / "model.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    if damage == "missing":
        file.unlink()
    else:
        new = {"truncated": content[:1000], "flipped": content, "not a model": b"hello"}
        file.write_bytes(bytes(new[damage]))
    for runtime in ("tensorflow", "cache"):
        result = run("predict", "--model", folder, SAMPLES / "MNIST-3.png")
        assert result.code == 0
        assert result.record["prediction"] == 3
        warning, *others = result.stderr.splitlines()
        assert len(others) == (runtime == "tensorflow")  # the self-test
        assert warning.startswith("mnist: warning: ignoring the compiled model of t_ffnn: ")
    quiet = run("predict", "--quiet", "--model", folder, SAMPLES / "MNIST-3.png")
    assert quiet.stderr == ""


@pytest.mark.tensorflow
def test_a_compiled_model_that_litert_cannot_run_is_ignored(tmp_path: Path) -> None:
    import hashlib

    folder = _copy_of_t_ffnn(tmp_path)
    (folder / "assets.extra" / "model.tflite").write_bytes(b"hello")
    card = folder / "assets.extra" / "model.json"
    content = json.loads(card.read_text())
    content["sha256"] = hashlib.sha256(b"hello").hexdigest()
    card.write_text(json.dumps(content))
    result = run("predict", "--model", folder, SAMPLES / "MNIST-3.png")
    assert result.record["prediction"] == 3
    assert "LiteRT cannot run it" in result.stderr


def test_an_unwritable_cache_is_not_an_error(
    tmp_path: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.record["prediction"] == 0
    assert result.stderr == SELF_TEST


def test_the_highest_version_is_loaded(tmp_path: Path, weights: Weights) -> None:
    reversed_weights = Weights(weights.kernel[:, ::-1], weights.bias[::-1])
    models.tensorflow_1(tmp_path / "mine" / "9", weights)
    models.tensorflow_1(tmp_path / "mine" / "10", reversed_weights)
    options = ("--preprocess", "plain", "--input", "0..1", "--model", tmp_path / "mine")
    result = run("predict", *options, SAMPLES / "MNIST-0.png")
    assert (result.record["model"], result.record["prediction"]) == ("mine", 9)


def test_a_symbolic_link_to_a_model_has_its_own_name(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "elsewhere", weights)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "latest").symlink_to(folder)
    arguments = ("predict", "--model-dir", tmp_path / "models", "--model", "latest")
    assert run(*arguments, SAMPLES / "MNIST-0.png").record["model"] == "latest"


def test_unreadable_folders_do_not_hide_other_models(tmp_path: Path, weights: Weights) -> None:
    models.tensorflow_1(tmp_path / "mine", weights)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").symlink_to("loop")
    arguments = ("predict", "--model-dir", tmp_path, SAMPLES / "MNIST-0.png", "--model")
    assert run(*arguments, "mine").record["prediction"] == 0
    for name in ("loop", tmp_path / "loop", "a" * 300):
        result = run(*arguments, name)
        assert result.code == 4
        assert result.error


def test_names_are_looked_up_in_the_model_dir(
    tmp_path: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.tensorflow_1(tmp_path / "models" / "mine", weights)
    picture, data = SAMPLES / "MNIST-0.png", tmp_path / "data"
    (data / "0").mkdir(parents=True)
    shutil.copy(picture, data / "0")
    commands = (
        ("predict", picture),
        ("predict-batch", "--quiet", data),
        ("evaluate", "--data", data),
    )
    for command in commands:
        choice = ("mine",) if command[0] == "evaluate" else ("--model", "mine")
        assert run(*command, *choice).code == 4
        assert run(*command, *choice, "--model-dir", tmp_path / "models").record["model"] == "mine"
    monkeypatch.setenv("MNIST_MODEL_DIR", str(tmp_path / "models"))
    for command in commands:
        choice = ("mine",) if command[0] == "evaluate" else ("--model", "mine")
        assert run(*command, *choice).record["model"] == "mine"
    monkeypatch.setenv("MNIST_MODEL", "mine")
    for command in commands:
        assert run(*command).record["model"] == "mine"


def test_an_unknown_model() -> None:
    result = run("predict", "--model", "t_cn", SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert result.stdout == ""
    assert "'t_cn'" in result.error
    assert result.tip == "did you mean t_cnn?"


def test_a_model_dir_without_models(tmp_path: Path) -> None:
    result = run("predict", "--model-dir", tmp_path, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert f"no models in {tmp_path}" in result.error


def test_folders_without_a_model(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "not a model"),
        (tmp_path / "none", "no such file or folder"),
    ):
        result = run("predict", "--model", path, SAMPLES / "MNIST-0.png")
        assert result.code == 4
        assert message in result.error


@pytest.mark.tensorflow
def test_the_error_for_an_unsupported_model_lists_its_signatures(tmp_path: Path) -> None:
    folder = models.five_inputs(tmp_path / "other")
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert "x: float32 [N,5]) -> output_0: float32 [N,3]" in result.error
    assert "expected one input for an image, such as float32 [N,784]" in result.error


def test_the_tensors_of_original_models_are_checked(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "other", weights, signature=False, shaped=False)
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert "no signature(input:0: float32 [...])" in result.error


def test_sigmoid_outputs_are_scaled_to_a_sum_of_1(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "other", weights, sigmoid=True)
    result = run("predict", "--scores", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.record["prediction"] == 0
    assert sum(result.record["scores"]) == pytest.approx(1, abs=1e-4)


def test_an_additional_input_is_rejected(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "other", weights, extra_input=True)
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert "unsupported input prior (float32)" in result.error


def test_nan_outputs_are_rejected(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "other", Weights(weights.kernel * np.nan, weights.bias))
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert "unsupported output: the scores of some images are not finite" in result.error


def test_a_damaged_variable(tmp_path: Path, weights: Weights) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    file = models.tensorflow_1(tmp_path / "other", weights) / "saved_model.pb"
    model = SavedModel.FromString(file.read_bytes())
    model.meta_graphs[0].collection_def["variables"].bytes_list.value[0] = b"\xff"
    file.write_bytes(model.SerializeToString())
    result = run("predict", "--model", file.parent, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert "damaged or incomplete model: Error parsing message" in result.error


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index"])
@pytest.mark.parametrize("content", [b"", b"hello"])
def test_a_damaged_model(tmp_path: Path, weights: Weights, file: str, content: bytes) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    (folder / file).write_bytes(content)
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert result.error.startswith(f"model mine ({folder}): ")


def test_without_tensorflow_compiled_models_work() -> None:
    result = run_process("predict", SAMPLES / "MNIST-7.png", program=WITHOUT_TENSORFLOW)
    assert (result.code, result.stderr) == (0, "")
    assert result.record["prediction"] == 7
    for name in ("t_cnn", "t_ffnn"):
        assert run_process("inspect-model", name, program=WITHOUT_TENSORFLOW).code == 0


@pytest.mark.tensorflow
def test_without_litert_tensorflow_is_used_and_nothing_is_compiled(tmp_path: Path) -> None:
    program = without("ai_edge_litert")
    result = run_process("predict", SAMPLES / "MNIST-7.png", program=program)
    assert (result.code, result.stderr) == (0, "")
    assert result.record["prediction"] == 7
    assert not list((tmp_path / "cache").rglob("model.tflite"))
    assert run_process("inspect-model", "t_cnn", program=program).record["runtime"] == "tensorflow"
    for command in (("predict", "x.png"), ("evaluate", "--data", str(SAMPLES))):
        result = run_process(*command, "--runtime", "litert", program=program)
        assert result.code == 4
        assert "pip install ai-edge-litert" in result.stderr


def test_without_any_runtime_there_is_one_clear_error() -> None:
    program = without("ai_edge_litert", "tensorflow")
    result = run_process("predict", SAMPLES / "MNIST-7.png", program=program)
    assert result.code == 4
    assert "TensorFlow is required but cannot be imported" in result.error
    card = run_process("inspect-model", "t_cnn", program=program).record
    assert card["runtime"] is None and "pip install '.[tensorflow]'" in card["problem"]


def test_without_tensorflow_the_error_says_what_to_install(
    tmp_path: Path, weights: Weights
) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    for command in (("predict", SAMPLES / "MNIST-7.png", "--model"), ("inspect-model",)):
        result = run_process(*command, folder, program=WITHOUT_TENSORFLOW)
        assert result.code == 4
        assert "pip install '.[tensorflow]'" in result.tip
