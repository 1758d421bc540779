"""Selection of the image and score tensors from hand-made signatures."""

import pytest

from mnist_cli.errors import ModelError
from mnist_cli.signature import (
    Signature,
    TensorInfo,
    TensorNames,
    select_tensors,
    shape_text,
    signatures_or_original,
)

Shape = list[int | None] | None

IMAGE: Shape = [None, 784]
SCORES: Shape = [None, 10]


def tensor(name: str, shape: Shape, dtype: str = "float32") -> TensorInfo:
    return {"name": f"{name}:0", "dtype": dtype, "shape": shape}


def signature(inputs: dict[str, Shape], outputs: dict[str, Shape]) -> Signature:
    return {
        "inputs": {key: tensor(f"in_{key}", shape) for key, shape in inputs.items()},
        "outputs": {key: tensor(f"out_{key}", shape) for key, shape in outputs.items()},
        "method": "tensorflow/serving/predict",
    }


SHAPES: list[Shape] = [
    [None, 784],
    [None, 28, 28],
    [None, 28, 28, 1],
    [None, 1, 28, 28],
    [None, 784, 1],
    [None, 32, 32],
    [None, 32, 32, 1],
    [None, 28, 28, 3],
    [None, 3, 224, 224],
    [None, None, None, 1],
]


@pytest.mark.parametrize("shape", SHAPES, ids=shape_text)
@pytest.mark.parametrize("scores", [SCORES, [None, 11], [None, None], None], ids=shape_text)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8"])
def test_supported_shapes(shape: Shape, scores: Shape, dtype: str) -> None:
    signatures = {"serving_default": signature({"x": shape}, {"y": scores})}
    signatures["serving_default"]["inputs"]["x"]["dtype"] = dtype
    assert select_tensors(signatures) == TensorNames("in_x:0", "out_y:0")


def test_a_batch_size_of_one() -> None:
    signatures = {"serving_default": signature({"x": [1, 28, 28, 1]}, {"y": [1, 10]})}
    assert select_tensors(signatures) == TensorNames("in_x:0", "out_y:0")


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"x": [None, 5]}, {"y": SCORES}),
        ({"x": [None, 28]}, {"y": SCORES}),
        ({"x": [784]}, {"y": SCORES}),
        ({"x": [2, 784]}, {"y": SCORES}),
        ({"x": [None, 28, 28, 4]}, {"y": SCORES}),
        ({"x": [None, 28, 32]}, {"y": SCORES}),
        ({"x": [None, 7, 7]}, {"y": SCORES}),
        ({"x": [None, 513, 513]}, {"y": SCORES}),
        ({"x": [None, None, 28]}, {"y": SCORES}),
        ({"x": IMAGE}, {"y": [None, 12]}),
        ({"x": None}, {"y": SCORES}),
        ({}, {"y": SCORES}),
        ({"a": IMAGE, "b": IMAGE}, {"y": SCORES}),
        ({"x": IMAGE}, {"y": [None, 3]}),
        ({"x": IMAGE}, {"y": [10]}),
        ({"x": IMAGE}, {"y": [2, 10]}),
        ({"x": IMAGE}, {}),
    ],
)
def test_unsupported_shapes(inputs: dict[str, Shape], outputs: dict[str, Shape]) -> None:
    with pytest.raises(ModelError, match=r"unsupported signature: expected .*; found mine\("):
        select_tensors({"mine": signature(inputs, outputs)})


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_other_types_are_ignored(side: str) -> None:
    mine = signature({"x": IMAGE}, {"y": SCORES})
    tensors = mine["inputs"] if side == "inputs" else mine["outputs"]
    [info] = tensors.values()
    tensors["bytes"] = info | {"dtype": "complex64"}
    assert select_tensors({"mine": mine}) == TensorNames("in_x:0", "out_y:0")
    info["dtype"] = "complex64"
    with pytest.raises(ModelError, match="complex64"):
        select_tensors({"mine": mine})


def test_switches_beside_the_image_are_ignored() -> None:
    mine = signature({"image": IMAGE, "dropout": []}, {"y": SCORES})
    mine["inputs"]["training"] = tensor("in_training", [], "bool")
    assert select_tensors({"mine": mine}).image == "in_image:0"


@pytest.mark.parametrize(
    ("outputs", "selected"),
    [
        (["logits", "probabilities"], "probabilities"),
        (["output", "scores"], "scores"),
        (["output", "logits"], "output"),
        (["scores", "probabilities"], "probabilities"),
        (["logits"], "logits"),
        (["dense", "softmax_1"], "softmax_1"),
        (["logits_1", "y"], "y"),
        (["b", "a"], "a"),
    ],
)
def test_the_preferred_output(outputs: list[str], selected: str) -> None:
    mine = signature({"x": IMAGE}, dict.fromkeys(outputs, SCORES))
    assert select_tensors({"mine": mine}).scores == f"out_{selected}:0"


def test_serving_default_comes_first_and_then_the_alphabet() -> None:
    signatures = {
        name: signature({name: IMAGE}, {"y": SCORES}) for name in ("b", "serving_default", "a")
    }
    selected = []
    while signatures:
        selected.append(select_tensors(signatures).image)
        del signatures[selected[-1].removeprefix("in_").removesuffix(":0")]
    assert selected == ["in_serving_default:0", "in_a:0", "in_b:0"]


def test_28x28_pixels_come_before_other_sizes() -> None:
    signatures = {
        "serving_default": signature({"x": [None, 100]}, {"y": SCORES}),
        "images": signature({"image": IMAGE}, {"y": SCORES}),
    }
    assert select_tensors(signatures).image == "in_image:0"


def test_an_output_of_ten_comes_before_one_of_unknown_size() -> None:
    mine = signature({"x": IMAGE}, {"embedding": [None, None], "y": SCORES})
    assert select_tensors({"mine": mine}).scores == "out_y:0"


def test_an_unsupported_serving_default_is_skipped() -> None:
    signatures = {
        "serving_default": signature({"examples": [None]}, {"y": SCORES}),
        "predict": signature({"x": IMAGE}, {"y": SCORES}),
    }
    assert select_tensors(signatures).image == "in_x:0"


def test_the_error_lists_all_signatures() -> None:
    signatures = {"b": signature({"x": [None, 5]}, {}), "a": signature({}, {"y": [None, 3]})}
    with pytest.raises(ModelError) as error:
        select_tensors(signatures)
    assert str(error.value).endswith(
        "; found a() -> y: float32 [N,3]; b(x: float32 [N,5]) -> nothing"
    )
    with pytest.raises(ModelError, match="the model has no signature"):
        select_tensors({})


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([None, 28, 28, 1], "[N,28,28,1]"),
        ([], "[]"),
        (None, "[...]"),
        ([None, None], "[N,?]"),
        ([1, None], "[1,?]"),
    ],
)
def test_shape_text(shape: Shape, text: str) -> None:
    assert shape_text(shape) == text


def test_a_model_without_signatures_gets_that_of_the_original_models() -> None:
    original = signatures_or_original({})
    assert list(original) == ["serving_default"]
    assert select_tensors(original) == TensorNames("input:0", "output:0")
    mine = {"mine": signature({"x": IMAGE}, {"y": SCORES})}
    assert signatures_or_original(mine) is mine
