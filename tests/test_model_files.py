"""Models in one file: Keras and TensorFlow Lite, formats to convert, and damaged files."""

import functools
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_cli.loader import SHIPPED_MODELS, load_model
from mnist_cli.self_test import load_digits
from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings
from tests.models import Weights, files
from tests.running import SAMPLES, UNPRIVILEGED_MNIST, run, run_process

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs"),
]

DIGITS = [SAMPLES / f"MNIST-{digit}.png" for digit in range(10)]


def _rescaled_keras(folder: Path, weights: Weights) -> Path:
    import keras

    file = folder / "mine.keras"
    files.keras_model(weights, keras.layers.Rescaling(1 / 255)).save(file)
    return file


def _h5(folder: Path, weights: Weights, suffix: str = "h5") -> Path:
    file = folder / f"mine.{suffix}"
    files.keras_model(weights, shape=(784,), softmax=False).save(folder / "mine.h5")
    return (folder / "mine.h5").rename(file)


def _keras_2(folder: Path, weights: Weights) -> Path:
    return files.keras_2_h5(folder / "mine.h5", weights)


def _tflite(folder: Path, weights: Weights, quantize: str | None = None) -> Path:
    model = files.keras_model(weights, shape=(28, 28))
    return files.tflite(folder / "mine.tflite", model, quantize, load_digits()[0])  # type: ignore[arg-type]


def _logits_of_batches(folder: Path, weights: Weights, size: int) -> Path:
    import tensorflow as tf

    return files.tflite_of(
        folder / "mine.tflite",
        lambda image: tf.reshape(image, [size, 784]) @ weights.kernel + weights.bias,
        tf.TensorSpec([size, 28, 28, 1]),
    )


def _in_a_folder(folder: Path, weights: Weights) -> Path:
    (folder / "mine").mkdir()
    shutil.move(_tflite(folder, weights), folder / "mine" / "model.tflite")
    return folder / "mine"


def _hdf5_named_keras(folder: Path, weights: Weights) -> Path:
    return _h5(folder, weights, suffix="keras")


FORMATS: dict[str, Callable[[Path, Weights], Path]] = {
    "keras, 0..255": _rescaled_keras,
    "h5": _h5,
    "hdf5": functools.partial(_h5, suffix="hdf5"),
    "h5 named .keras": _hdf5_named_keras,
    "h5 of Keras 2": _keras_2,
    "tflite": _tflite,
    "tflite, int8": functools.partial(_tflite, quantize="int8"),
    "tflite, uint8": functools.partial(_tflite, quantize="uint8"),
    "tflite, batch size 1, logits": functools.partial(_logits_of_batches, size=1),
    "tflite, batch size 7, logits": functools.partial(_logits_of_batches, size=7),
    "tflite in a folder": _in_a_folder,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reads_the_samples(name: str, tmp_path: Path, weights: Weights) -> None:
    model = FORMATS[name](tmp_path, weights)
    convention = "0..255" if "0..255" in name else "0..1"
    for expected in (f"input {convention}, dark background", ""):
        result = run("predict", "--preprocess", "plain", "--model", model, *DIGITS)
        assert [record["prediction"] for record in result.records] == list(range(10))
        assert {record["model"] for record in result.records} == {"mine"}
        assert expected in result.stderr
    assert result.stderr == ""
    card = run("inspect-model", model).record
    assert (card["runtime"], card["compiled"]["state"]) == ("litert", "fresh")
    assert card["self_test"]["correct"] >= 85


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_agrees_with_numpy(name: str, tmp_path: Path, weights: Weights) -> None:
    model = load_model(str(FORMATS[name](tmp_path, weights)))
    images = load_digits()[0]
    tolerance = 0.05 if "int8" in name else 1e-4
    expected = weights.probabilities(images)
    np.testing.assert_allclose(model.predict_proba(images), expected, atol=tolerance)


@pytest.mark.parametrize("make", [_rescaled_keras, _h5, _tflite])
def test_the_self_test_is_reported_once(
    make: Callable[[Path, Weights], Path], tmp_path: Path, weights: Weights
) -> None:
    """In a process of its own: the output of TensorFlow is hidden, but not ours."""
    model = make(tmp_path, weights)
    first, second = (run_process("predict", "--model", model, DIGITS[0]) for _ in range(2))
    assert re.fullmatch(r"mnist: info: model mine: self-test \d+ of 100, input .*\n", first.stderr)
    assert (second.code, second.stderr) == (0, "")


def test_files_are_found_by_name_everywhere(tmp_path: Path, weights: Weights) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    _h5(folder, weights).rename(folder / "other.h5")
    _tflite(folder, weights)
    fresh = run("inspect-model", "--model-dir", folder).records
    assert [record["runtime"] for record in fresh] == ["litert", "tensorflow"]
    chosen = ("--model-dir", folder, "--model", "mine")
    assert run("predict", *chosen, DIGITS[4]).record["prediction"] == 4
    assert run("predict-batch", "--quiet", *chosen, DIGITS[4]).record["prediction"] == 4
    names = [record["model"] for record in run("inspect-model", "--model-dir", folder).records]
    assert names == ["mine", "other"]
    client = create_app(Settings("mine", folder)).test_client()
    for name in names:
        answer = client.post(
            f"/predict?preprocess=plain&model={name}",
            data=DIGITS[4].read_bytes(),
            content_type="image/png",
        ).get_json()
        assert (answer["prediction"], answer["model"]) == (4, name)
        assert client.get(f"/v2/models/{name}").get_json()["outputs"][0]["shape"] == [-1, 10]


def test_a_keras_file_that_is_replaced_is_converted_again(tmp_path: Path, weights: Weights) -> None:
    def predict(weights: Weights) -> int:
        model = files.keras_model(weights)
        model.save(tmp_path / "mine.keras")
        options = ("--input", "0..1", "--preprocess", "plain", "--model", tmp_path / "mine.keras")
        return int(run("predict", *options, DIGITS[0]).record["prediction"])

    assert predict(weights) == 0
    assert predict(Weights(weights.kernel[:, ::-1], weights.bias[::-1])) == 9


def _lambda(file: Path) -> None:
    import keras

    layers = [keras.Input((28, 28)), keras.layers.Lambda(_touch), keras.layers.Flatten()]
    keras.Sequential([*layers, keras.layers.Dense(10)]).save(file)


def _touch(image: object) -> object:
    Path("executed").touch()
    return image


def _with_a_member(file: Path, name: str, content: bytes) -> None:
    import keras

    keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)]).save(
        file
    )
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def _large_metadata(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", bytes(17 * 2**20))


def _zip_bomb(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(2**20))
        archive.infolist()[0].file_size = 3 * 2**30  # without the minutes that writing it takes


def _damaged_hdf5(file: Path) -> None:
    import h5py

    with h5py.File(file, "w") as content:
        content.create_group("weights")
    content = file.read_bytes()
    file.write_bytes(content.replace(b"TREE", b"tree").replace(b"SNOD", b"snod"))


def _hdf5_bomb(file: Path) -> None:
    import h5py

    with h5py.File(file, "w") as content:
        content.create_dataset("weights", (2**20, 2**20), "float32", chunks=True)


def _weights_only(file: Path) -> None:
    import keras

    keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)]).save_weights(file)


def _two_images(file: Path) -> None:
    import keras

    inputs = [keras.Input((28, 28, 1)) for _ in range(2)]
    flat = keras.layers.Flatten()(keras.layers.Add()(inputs))
    keras.Model(inputs, keras.layers.Dense(10)(flat)).save(file)


def _two_images_tflite(file: Path) -> None:
    import tensorflow as tf

    spec = tf.TensorSpec([1, 784])
    files.tflite_of(file, lambda a, b: (a + b)[:, :10], spec, spec)


def _custom_operation(file: Path) -> None:
    import tensorflow as tf

    files.tflite_of(
        file,
        lambda x: tf.raw_ops.Igamma(a=x, x=x)[:, :10],
        tf.TensorSpec([1, 784]),
        custom_operations=True,
    )


def _flex_operation(file: Path) -> None:
    import tensorflow as tf

    files.tflite_of(
        file,
        lambda x: tf.linalg.inv(x[:, :10, :10])[:, 0],
        tf.TensorSpec([1, 28, 28]),
        tensorflow_operations=True,
    )


def _huge_tensor(file: Path) -> None:
    import tensorflow as tf

    files.tflite_of(
        file,
        lambda x: tf.reduce_sum(tf.tile(x[:, :10, None, None], [1, 1, 2**30, 2**10]), [2, 3]),
        tf.TensorSpec([1, 784]),
    )


def _large(file: Path) -> None:
    with open(file, "wb") as stream:
        stream.truncate(3 * 2**30)


def _custom_class(file: Path) -> None:
    import keras

    class Mine(keras.layers.Layer):  # type: ignore[misc]
        __module__ = "__main__"

    layers = [keras.Input((28, 28)), Mine(), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(layers).save(file)


def _text(file: Path) -> None:
    file.write_text("hello")


BAD_FILES: list[tuple[str, Callable[[Path], None], str]] = [
    ("mine.keras", _lambda, "the model has a layer Lambda"),
    ("mine.h5", _lambda, "the model has a layer Lambda"),
    ("mine.keras", lambda file: _with_a_member(file, "x.pkl", b"."), "contains 'x.pkl'"),
    (
        "mine.keras",
        lambda file: _with_a_member(file, "assets/x.pkl", b"."),
        "contains 'assets/x.pkl'",
    ),
    (
        "mine.keras",
        lambda file: _with_a_member(file, "assets/../../vocabulary.txt", b"."),
        "contains 'assets/../../vocabulary.txt'",
    ),
    ("mine.keras", _large_metadata, "metadata.json is too large"),
    ("mine.h5", _damaged_hdf5, "damaged or not a Keras file: "),
    ("mine.keras", _zip_bomb, "the file unpacks to 3.0 GiB, more than the limit of 2 GiB"),
    ("mine.h5", _hdf5_bomb, "the file unpacks to 4,096.0 GiB"),
    ("mine.weights.h5", _weights_only, "the file contains only weights"),
    ("mine.keras", _two_images, "unsupported signature: expected one input for an image"),
    ("mine.keras", _custom_class, "Keras cannot load it: Could not locate class 'Mine'; export it"),
    ("mine.h5", _custom_class, "Keras cannot load it: Unknown layer: 'Mine'; export it"),
    ("mine.tflite", _two_images_tflite, "expected one input for an image, found 2: "),
    (
        "mine.tflite",
        _custom_operation,
        "LiteRT cannot run it: Encountered unresolved custom op: Igamma",
    ),
    ("mine.tflite", _flex_operation, "LiteRT cannot run it: Select TensorFlow op(s)"),
    ("mine.tflite", _huge_tensor, "LiteRT cannot run it: an operation failed for lack of memory"),
    ("mine.tflite", _large, "the file has 3.0 GiB, more than the limit of 2 GiB"),
    ("mine.keras", _text, "damaged or not a Keras file"),
    ("mine.h5", _text, "damaged or not a Keras file"),
    ("mine.hdf5", _text, "damaged or not a Keras file"),
    ("mine.tflite", _text, "damaged or not a .tflite file"),
    ("mine.onnx", _text, "an ONNX model: convert it to a SavedModel or .tflite with onnx2tf"),
    ("mine.pb", _text, "a graph of TensorFlow without a SavedModel"),
    ("mine.pt", _text, "a model of PyTorch: "),
    ("mine.pth", _text, "a model of PyTorch: "),
    ("mine.safetensors", _text, "weights without a model"),
    ("mine.pkl", _text, "a pickle, which could run any code"),
    ("mine.txt", _text, "not a model: expected the folder of a SavedModel, or a .keras"),
]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "make", "message"),
    BAD_FILES,
    ids=lambda value: getattr(value, "__name__", str(value)[:50]),
)
def test_bad_files_give_one_line(
    name: str,
    make: Callable[[Path], None],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # `_touch` is called when Keras makes the model
    make(tmp_path / name)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for command in (("predict", DIGITS[0], "--model"), ("inspect-model",)):
        result = run(*command, tmp_path / name)
        assert (result.code, result.stdout) == (4, "")
        assert message in result.error
    assert not list(Path().iterdir())  # `_touch` was not called


def test_truncated_files_give_one_line(tmp_path: Path, weights: Weights) -> None:
    for make in (_rescaled_keras, _h5, _tflite):
        file = make(tmp_path, weights)
        content = file.read_bytes()
        for part in (10, 100, len(content) // 2, len(content) - 10):
            file.write_bytes(content[:part])
            result = run("predict", "--model", file, DIGITS[0])
            assert (result.code, result.stdout) == (4, "")
            assert result.error.startswith(f"model mine ({file}): ")


def test_a_folder_with_several_models(tmp_path: Path, weights: Weights) -> None:
    _tflite(tmp_path, weights)
    _h5(tmp_path, weights)
    result = run("predict", "--model", tmp_path, DIGITS[0])
    assert result.code == 4
    assert "contains several models: choose mine.h5 or mine.tflite" in result.error


def test_models_without_permission(tmp_path: Path, weights: Weights) -> None:
    shutil.copytree(SHIPPED_MODELS / "k_cnn", tmp_path / "folder")
    shutil.copytree(SHIPPED_MODELS / "k_cnn", tmp_path / "variables")
    closed = [
        tmp_path / "folder",
        tmp_path / "variables" / "variables",
        _tflite(tmp_path, weights),
        _h5(tmp_path, weights),
    ]
    for path in closed:
        path.chmod(0)
    for model in (closed[0], closed[1].parent, *closed[2:]):
        for command in (("predict", DIGITS[0], "--model"), ("inspect-model",)):
            result = run_process(*command, model, program=UNPRIVILEGED_MNIST)
            assert (result.code, result.stdout) == (4, "")
            assert result.error.endswith("Permission denied")
    by_name = ("predict", DIGITS[0], "--model-dir", tmp_path, "--model", "folder")
    result = run_process(*by_name, program=UNPRIVILEGED_MNIST)
    assert (result.code, result.error) == (4, f"{tmp_path / 'folder'}: Permission denied")


def test_missing_files(tmp_path: Path) -> None:
    for model in ("mine.h5", tmp_path / "mine.tflite"):
        result = run("predict", "--model", model, DIGITS[0])
        assert result.code == 4
        assert f"{model}: no such file or folder" in result.error
    (tmp_path / "saved_model.pb").touch()
    result = run("predict", "--model", tmp_path / "saved_model.pb", DIGITS[0])
    assert f"pass its folder, {tmp_path}" in result.error
