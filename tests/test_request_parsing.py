"""The parsers of request bodies by themselves, compared with `json` and NumPy."""

import base64
import itertools
import json
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mnist_cli.errors import InputError
from mnist_cli.picture import Picture
from mnist_cli.server.json_body import decode_json, nested_list
from mnist_cli.server.model_metadata import ImageSignature, to_batch
from mnist_cli.server.native import decode_pixels
from mnist_cli.server.native.predict_query import FLAG_VALUES, flag_option, preprocess_option
from mnist_cli.server.open_inference.binary import BinaryData, split_body
from mnist_cli.server.open_inference.request import (
    InferRequest,
    image_batch,
    raw_binary_request,
    wants_binary_output,
)
from mnist_cli.server.settings import Settings
from mnist_cli.server.tfserving.request import (
    ImageParser,
    TensorsRequest,
    is_row_format,
    parse_examples_request,
)
from tests.drawing import png

RNG = np.random.default_rng(0)


def _signature(*shape: int) -> ImageSignature:
    return ImageSignature(
        inputs={
            "x": {"name": "x:0", "dtype": "float32", "shape": [None, *shape]},
            "training": {"name": "t:0", "dtype": "bool", "shape": []},
        },
        outputs={"y": {"name": "y:0", "dtype": "float32", "shape": [None, 10]}},
        image="x",
        scores="y",
    )


SHAPES = [(784,), (28, 28), (28, 28, 1)]


def _ink(count: int, *shape: int) -> npt.NDArray[np.float32]:
    return RNG.random((count, *shape), np.float32)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (28, 28), (1, 300)])
@pytest.mark.parametrize("indent", [None, 1])
def test_pixels_equal_those_of_numpy(size: tuple[int, int], indent: int | None) -> None:
    integers = RNG.integers(0, 256, size)
    for pixels, dtype in ((integers, np.uint8), (integers * 0.999, np.float32)):
        body = json.dumps({"picArray": pixels.tolist(), "other": None}, indent=indent).encode()
        decoded = decode_pixels(body)
        assert decoded.dtype == dtype
        np.testing.assert_array_equal(decoded, pixels.astype(dtype))


@pytest.mark.parametrize("value", [-1, 256, 255.001, -1e-9, 1e300])
def test_pixels_out_of_range_are_rejected_with_their_place(value: float) -> None:
    rows = RNG.integers(0, 256, (4, 6)).tolist()
    for row, column in itertools.product(range(4), range(6)):
        changed = [list(values) for values in rows]
        changed[row][column] = value
        with pytest.raises(InputError) as error:
            decode_pixels(json.dumps({"picArray": changed}).encode())
        assert f"picArray[{row}][{column}] is {value}" in str(error.value)


def _reject(constant: str) -> None:
    raise ValueError(constant)  # `json` accepts NaN and Infinity, unlike the standard


@pytest.mark.parametrize(
    "body", [b"", b"[1", b"[1,]", b"nul", b"[1] 2", b"[NaN]", b"[-Infinity]", b"[1.]", b"[01]"]
)
def test_what_json_rejects_is_not_json(body: bytes) -> None:
    with pytest.raises(ValueError):
        json.loads(body, parse_constant=_reject)
    with pytest.raises(InputError, match="the body is not JSON"):
        decode_json(nested_list(float, 1), body)


def test_a_number_that_does_not_fit_into_a_float_is_rejected() -> None:
    digits = b"9" * 400
    with pytest.raises(InputError, match="a number is out of range"):
        decode_pixels(b'{"picArray": [[%s]]}' % digits)
    with pytest.raises(InputError, match=r"instances\[0\]: a number is out of range"):
        list(ImageParser(_signature(784)).instances(msgspec.Raw(b"[[%s]]" % digits)))
    tensor = b'{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [%s]}' % digits
    request = decode_json(InferRequest, b'{"inputs": [%s]}' % tensor)
    with pytest.raises(InputError, match="'data': a number is out of range"):
        image_batch(request, _signature(784), BinaryData(None), "model")


def test_nested_list() -> None:
    assert nested_list(float, 2) == list[list[float]]
    assert decode_json(nested_list(float, 3), b"[[[1, 2.5]], []]") == [[[1.0, 2.5]], []]


def test_query_options() -> None:
    assert preprocess_option({}) == preprocess_option({"preprocess": "auto"}) == "auto"
    assert preprocess_option({"preprocess": "plain"}) == "plain"
    assert not flag_option({}, "scores")
    for value, expected in FLAG_VALUES.items():
        assert flag_option({"scores": value}, "scores") is expected
    for invalid in ("", "yes", "2", "True"):
        with pytest.raises(InputError, match="scores is"):
            flag_option({"scores": invalid}, "scores")
        with pytest.raises(InputError, match="preprocess is"):
            preprocess_option({"preprocess": invalid})


def test_settings_check_tokens_and_origins() -> None:
    assert Settings().is_authorized(None)
    guarded = Settings(token="secret", cors=("https://a.example",))
    for header, expected in (
        ("Bearer secret", True),
        ("bearer  secret", True),
        ("BEARER secret", True),
        ("secret", False),
        ("Basic secret", False),
        ("Bearersecret", False),
        ("Bearer s", False),
        ("Bearer s\xe9cret", False),
        ("Bearer ", False),
        ("", False),
        (None, False),
    ):
        assert guarded.is_authorized(header) is expected
    assert guarded.allowed_origin("https://a.example") == "https://a.example"
    for origin in ("https://b.example", None):
        assert guarded.allowed_origin(origin) is None
    assert Settings(cors=("*",)).allowed_origin("https://b.example") == "https://b.example"


@pytest.mark.parametrize("length", [0, 1, 7, 10])
def test_a_body_is_split_at_the_length_of_its_json(length: int) -> None:
    body = bytes(range(10))
    head, binary = split_body(body, str(length))
    assert head == (body[:length] or None)
    parts = [bytes(binary.read(size)) for size in (0, 10 - length)]
    assert parts == [b"", body[length:]]
    assert binary.is_empty
    with pytest.raises(InputError, match="expecting 1 additional bytes"):
        binary.read(1)


@pytest.mark.parametrize("shape", SHAPES)
def test_tensorflow_serving_formats_give_the_same_batch(shape: tuple[int, ...]) -> None:
    ink, signature = _ink(3, *shape), _signature(*shape)
    expected = ink.reshape(3, 784)
    rows = ink.tolist()
    bodies: list[Any] = [
        {"instances": rows},
        {"instances": [{"x": row, "training": False} for row in rows]},
        {"inputs": rows},
        {"inputs": {"x": rows, "ignored": "?"}},
    ]
    for body in bodies:
        request = decode_json(TensorsRequest, json.dumps(body).encode())
        parser = ImageParser(signature)
        assert is_row_format(request) == ("instances" in body)
        parse = parser.instances if "instances" in body else parser.inputs
        tensors: list[Any] = [image for _, image in parse(request.instances or request.inputs)]
        np.testing.assert_array_equal(np.concatenate(tensors), expected)
    examples = {"examples": [{"x": row.ravel().tolist()} for row in ink]}
    found = parse_examples_request(json.dumps(examples).encode())
    inputs = list(ImageParser(signature).examples(found))
    assert [place for place, _ in inputs] == ["examples[0]", "examples[1]", "examples[2]"]
    np.testing.assert_array_equal(np.concatenate([image for _, image in inputs]), expected)


def test_tensorflow_serving_pictures_are_decoded() -> None:
    pixels = RNG.integers(0, 256, (28, 28), np.uint8)
    text = base64.b64encode(png(pixels)).decode()
    for b64 in (text, text.rstrip("="), text[:10] + "\n" + text[10:]):
        request = decode_json(TensorsRequest, json.dumps({"instances": [{"b64": b64}]}).encode())
        [(place, picture)] = ImageParser(_signature(784)).instances(request.instances)
        assert place == "instances[0]" and isinstance(picture, Picture)
        np.testing.assert_array_equal(picture.gray, pixels)


def test_tensorflow_serving_pictures_have_a_pixel_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"b64": base64.b64encode(png(Image.new("L", (40, 30)))).decode()}] * 3
    monkeypatch.setattr("mnist_cli.images.MAX_PIXELS", 2 * 40 * 30)
    monkeypatch.setattr("mnist_cli.server.tfserving.request.MIN_PIXELS_CHARGED", 1)
    found = decode_json(TensorsRequest, json.dumps({"instances": rows}).encode())
    inputs = ImageParser(_signature(784)).instances(found.instances)
    assert [place for place, _ in itertools.islice(inputs, 2)] == ["instances[0]", "instances[1]"]
    with pytest.raises(InputError, match=r"instances\[2\]: too many or too large pictures"):
        next(inputs)


@pytest.mark.parametrize("shape", SHAPES)
def test_open_inference_tensors_equal_those_of_numpy(shape: tuple[int, ...]) -> None:
    ink, signature = _ink(2, *shape), _signature(*shape)
    expected = ink.reshape(2, 784)
    tensor = {"name": "x", "shape": list(ink.shape), "datatype": "FP32"}
    for data in (ink.tolist(), ink.ravel().tolist()):
        request = decode_json(
            InferRequest, json.dumps({"inputs": [tensor | {"data": data}]}).encode()
        )
        batch = image_batch(request, signature, BinaryData(None), "model")
        np.testing.assert_array_equal(batch, expected)
        assert not wants_binary_output(request, "y", "model")
    for datatype, dtype in (("FP32", "<f4"), ("FP64", "<f8")):
        values = ink.astype(dtype).tobytes()
        binary = {"datatype": datatype, "parameters": {"binary_data_size": len(values)}}
        head = json.dumps({"inputs": [tensor | binary]}).encode()
        found, rest = split_body(head + values, str(len(head)))
        assert found == head
        batch = image_batch(decode_json(InferRequest, found), signature, rest, "model")
        np.testing.assert_array_equal(batch, expected)
    data = ink.astype("<f4").tobytes()
    raw = raw_binary_request(len(data), signature)
    assert wants_binary_output(raw, "y", "model")
    batch = image_batch(raw, signature, BinaryData(memoryview(data)), "model")
    np.testing.assert_array_equal(batch, expected)


def test_a_switch_may_only_have_its_constant_value() -> None:
    image = {"name": "x", "shape": [1, 784], "datatype": "FP32", "data": [0.5] * 784}
    for value in (False, True):
        switch = {"name": "training", "shape": [], "datatype": "BOOL", "data": [value]}
        request = decode_json(InferRequest, json.dumps({"inputs": [image, switch]}).encode())
        if value:
            with pytest.raises(InputError, match="training is always False here: leave it out"):
                image_batch(request, _signature(784), BinaryData(None), "model")
        else:
            assert image_batch(request, _signature(784), BinaryData(None), "model").shape == (
                1,
                784,
            )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((0, 784)), r"the shape is \[0,784\]"),
        (np.zeros((1, 783)), r"expected \[N,784\]"),
        (np.zeros(784), r"expected \[N,784\]"),
        (np.full((1, 784), 3.5e38), "loss of precision"),
        (np.full((1, 784), np.nan), "loss of precision"),
    ],
)
def test_tensors_that_do_not_fit_the_model(values: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_batch(values, [None, 784])
