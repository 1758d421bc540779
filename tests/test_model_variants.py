"""SavedModels with other inputs and outputs, and the self-test that finds the convention."""

import functools
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from mnist_cli.conventions import CONVENTIONS
from mnist_cli.loader import load_model
from mnist_cli.option_types import InputConvention
from mnist_cli.self_test import load_digits
from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings
from tests.models import Weights, variants
from tests.running import SAMPLES, run
from tests.serving import serving

DIGITS = [SAMPLES / f"MNIST-{digit}.png" for digit in range(10)]
BLANK = 10
ORDER = (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)


def _first_channel(image: Any) -> Any:
    return image[..., 0]


def _downscaled(image: Any) -> Any:
    import tensorflow as tf

    return tf.image.resize(tf.reshape(image, [-1, image.shape[1], image.shape[1], 1]), [28, 28])


def _unflattened(image: Any) -> Any:
    import tensorflow as tf

    return _downscaled(tf.reshape(image, [-1, 32, 32]))


def _outputs(logits: Any) -> dict[str, Any]:
    import tensorflow as tf

    names = ("a_logits", "probability", "embedding")
    return dict(zip(names, (logits, tf.nn.softmax(logits), tf.tile(logits, [1, 5])), strict=True))


def _half(logits: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {"scores": tf.cast(tf.nn.softmax(logits), tf.float16)}


def _from_levels(image: Any) -> Any:
    return image / 255


VARIANTS: dict[str, dict[str, Any]] = {
    "float16 input": {"dtype": "float16"},
    "float64 input": {"dtype": "float64"},
    "float16 output": {"to_outputs": _half},
    "uint8 input": {"dtype": "uint8", "to_pixels": _from_levels},
    "int32 input": {"dtype": "int32", "to_pixels": _from_levels},
    "batch size 1": {"batch_size": 1},
    "channels first": {"shape": (1, 28, 28)},
    "[N,32,32,1]": {"shape": (32, 32, 1), "to_pixels": _downscaled},
    "[N,64,64]": {"shape": (64, 64), "to_pixels": _downscaled},
    "[N,1024]": {
        "shape": (1024,),
        "to_pixels": _unflattened,
    },
    "[N,20,20,1]": {"shape": (20, 20, 1), "to_pixels": _downscaled},
    "[N,28,28,3]": {"shape": (28, 28, 3), "to_pixels": _first_channel},
    "[N,3,28,28]": {"shape": (3, 28, 28), "to_pixels": lambda image: image[:, 2]},
    "several outputs": {"to_outputs": _outputs},
    "blank class first": {"to_outputs": variants.in_order([BLANK, *range(10)])},
    "blank class last": {"to_outputs": variants.in_order([*range(10), BLANK])},
    "labels in the signature": {"to_outputs": variants.with_labels(ORDER)},
    "labels in the assets": {
        "to_outputs": variants.in_order(ORDER),
        "assets": {"labels.txt": "\n".join(map(str, ORDER))},
    },
}


def _make(folder: Path, weights: Weights, name: str) -> Path:
    options = {"to_outputs": variants.probabilities} | VARIANTS[name]
    return variants.variant(folder, weights, **options)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_reads_the_samples(name: str, tmp_path: Path, weights: Weights) -> None:
    folder = _make(tmp_path / "mine", weights, name)
    for _ in ("tensorflow", "cache"):
        result = run("predict", "--preprocess", "plain", "--model", folder, *DIGITS)
        assert [record["prediction"] for record in result.records] == list(range(10))
    assert result.stderr == ""


def test_corrected_labels_in_the_assets_are_used(tmp_path: Path, weights: Weights) -> None:
    folder = _make(tmp_path / "mine", weights, "labels in the assets")
    labels = folder / "assets" / "labels.txt"
    right = labels.read_text()
    labels.write_text(right[::-1])
    assert "it may not classify digits" in run("predict", "--model", folder, DIGITS[0]).stderr
    labels.write_text(right)
    result = run("predict", "--preprocess", "plain", "--model", folder, *DIGITS)
    assert [record["prediction"] for record in result.records] == list(range(10))


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "float64 input"])
def test_both_runtimes_agree(name: str, tmp_path: Path, weights: Weights) -> None:
    folder = str(_make(tmp_path / "mine", weights, name))
    images = load_digits()[0]
    compiled = load_model(folder, runtime="litert").predict_proba(images)
    reference = load_model(folder, runtime="tensorflow").predict_proba(images)
    assert compiled.shape == (100, 10)
    np.testing.assert_allclose(compiled, reference, atol=1e-3)
    np.testing.assert_allclose(compiled.sum(axis=1), 1, atol=2e-3)


def test_an_export_of_the_tutorial_of_tensorflow_serving(tmp_path: Path, weights: Weights) -> None:
    variants.tutorial(tmp_path / "mine" / "1", weights)
    result = run("predict", "--preprocess", "plain", "--model", tmp_path / "mine", *DIGITS)
    assert [record["prediction"] for record in result.records] == list(range(10))
    assert run("inspect-model", tmp_path / "mine").record["runtime"] == "litert"


def test_an_image_that_is_parsed_from_tf_examples(tmp_path: Path, weights: Weights) -> None:
    folder = variants.estimator_of_examples(tmp_path / "mine", weights)
    for _ in ("tensorflow", "cache"):
        result = run("predict", "--preprocess", "plain", "--model", folder, *DIGITS)
        assert [record["prediction"] for record in result.records] == list(range(10))
    assert run("inspect-model", folder).record["runtime"] == "litert"
    client = create_app(Settings(model=str(folder))).test_client()
    body = {"instances": load_digits()[0][50:51].reshape(1, 28, 28).tolist()}
    [scores] = client.post("/v1/models/mine:predict", json=body).get_json()["predictions"]
    assert np.argmax(scores) == 5


def _trained_with(convention: InputConvention) -> Callable[[Any], Any]:
    def to_pixels(image: Any) -> Any:
        import tensorflow as tf

        chosen = CONVENTIONS[convention]
        pixels = (image - chosen.background) / (chosen.foreground - chosen.background)
        return tf.transpose(pixels, [0, 2, 1, 3]) if chosen.transposed else pixels

    return to_pixels


def _save(folder: Path, weights: Weights, convention: InputConvention = "0..255") -> Path:
    return variants.variant(
        folder,
        weights,
        to_pixels=_trained_with(convention),
        to_outputs=variants.probabilities,
    )


@pytest.mark.parametrize("convention", get_args(InputConvention))
def test_the_self_test_finds_the_convention(
    convention: InputConvention, tmp_path: Path, weights: Weights
) -> None:
    folder = _save(tmp_path / "mine", weights, convention)
    predict = functools.partial(run, "predict", "--preprocess", "plain", "--model", folder)
    expected = f"self-test 86 of 100, input {CONVENTIONS[convention]}"
    result = predict(*DIGITS)
    assert [record["prediction"] for record in result.records] == list(range(10))
    assert result.stderr == f"mnist: info: model mine: {expected}\n"
    assert predict(*DIGITS).stderr == ""
    card = run("inspect-model", folder).record["self_test"]
    assert card == {
        "input": convention,
        "classes": list(range(10)),
        "correct": 86,
        "images": 100,
    }
    text = " ".join(run("inspect-model", folder, terminal=True).stdout.split())
    assert expected.removeprefix("self-test ") in text


def test_a_model_of_something_else_is_run_with_a_warning(tmp_path: Path, weights: Weights) -> None:
    shuffled = Weights(weights.kernel[:, ORDER], weights.bias[list(ORDER)])
    folder = _save(tmp_path / "mine", shuffled)
    first, second = (run("predict", "--model", folder, SAMPLES / "MNIST-0.png") for _ in range(2))
    assert first.code == second.code == 0
    assert first.stdout == second.stdout
    warning = re.fullmatch(
        r"mnist: warning: model mine: self-test (\d+) of 100, input .*; the best of 12 ways to "
        "show it a digit, so it may not classify digits, or expect other images\n",
        first.stderr,
    )
    assert warning and int(warning[1]) < 60
    assert second.stderr == ""


def test_input_overrides_the_self_test(tmp_path: Path, weights: Weights) -> None:
    model, data = _save(tmp_path / "mine", weights, "1..0"), tmp_path / "data"
    (data / "3").mkdir(parents=True)
    picture = shutil.copy(SAMPLES / "MNIST-3.png", data / "3")
    for arguments in (
        ("predict", "--preprocess", "plain", "--model", model, picture),
        ("predict-batch", "--preprocess", "plain", "--quiet", "--model", model, data),
        ("evaluate", "--data", data, model),
    ):
        measured, same, other = (
            run(*arguments, *options).record
            for options in ((), ("--input", "1..0"), ("--input", "0..1"))
        )
        assert measured == same != other
        if arguments[0] != "evaluate":
            assert measured["prediction"] == 3 != other["prediction"]
    assert run("predict", "--input", "0..2", picture).code == 2


def test_the_server_takes_the_convention_of_the_input(tmp_path: Path, weights: Weights) -> None:
    model, picture = _save(tmp_path / "mine", weights, "1..0"), SAMPLES / "MNIST-3.png"
    answers = []
    for options in ((), ("--input", "1..0"), ("--input", "0..1")):
        with serving("--model", str(model), *options) as server:
            path = "/predict?preprocess=plain"
            answer = server.ask("POST", path, picture.read_bytes(), Content_Type="image/png")
            answers.append(answer.json["prediction"])
    assert answers[:2] == [3, 3] and answers[2] != 3


def test_the_server_takes_pictures_and_the_tensors_of_the_model(
    tmp_path: Path, weights: Weights
) -> None:
    folder = _save(tmp_path / "mine", weights)
    client = create_app(Settings(model=str(folder))).test_client()
    picture = (SAMPLES / "MNIST-3.png").read_bytes()
    answer = client.post("/predict", data=picture, content_type="image/png").get_json()
    assert answer["prediction"] == 3
    image = (load_digits()[0][35] * 255).reshape(1, 28, 28, 1).tolist()
    body = {"instances": image, "signature_name": "read_images"}
    [scores] = client.post("/v1/models/mine:predict", json=body).get_json()["predictions"]
    assert np.argmax(scores) == 3
    wrong = Settings(model=str(folder), input="255..0")
    client = create_app(wrong).test_client()
    answer = client.post("/predict?preprocess=plain", data=picture, content_type="image/png")
    assert answer.get_json()["prediction"] != 3


def test_the_server_describes_other_inputs_as_28x28_floats(
    tmp_path: Path, weights: Weights
) -> None:
    folder = _make(tmp_path / "mine", weights, "uint8 input")
    client = create_app(Settings(model=str(folder))).test_client()
    metadata = client.get("/v2/models/mine").get_json()
    image = {"name": "image", "datatype": "FP32", "shape": [-1, 28, 28]}
    assert metadata["inputs"] == [image]
    assert metadata["outputs"] == [{"name": "scores", "datatype": "FP32", "shape": [-1, 10]}]
    values = (load_digits()[0][70] * 255).tolist()
    request = {"inputs": [image | {"shape": [1, 28, 28], "data": values}]}
    [output] = client.post("/v2/models/mine/infer", json=request).get_json()["outputs"]
    assert np.argmax(output["data"]) == 7


def test_sorted_classes_are_rejected(tmp_path: Path, weights: Weights) -> None:
    def sorted_outputs(logits: Any) -> dict[str, Any]:
        import tensorflow as tf

        scores, classes = tf.nn.top_k(tf.nn.softmax(logits), 10)
        return {"scores": scores, "classes": tf.strings.as_string(classes)}

    folder = variants.variant(tmp_path / "mine", weights, to_outputs=sorted_outputs)
    result = run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert result.code == 4
    assert "the order of the classes differs from image to image" in result.error
