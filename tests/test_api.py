"""The Python API, as its users call it."""

import base64
import io
import json
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mnist_cli
from tests.drawing import printed
from tests.running import ROOT, SAMPLES, run

SEVEN = SAMPLES / "MNIST-7.png"
HOUSE_NUMBER = SAMPLES / "house-number-407.png"


def _sources() -> dict[str, Any]:
    image = Image.open(SEVEN)
    gray = np.asarray(image.convert("L"))
    return {
        "path": SEVEN,
        "text": str(SEVEN),
        "bytes": SEVEN.read_bytes(),
        "file": io.BytesIO(SEVEN.read_bytes()),
        "image": image,
        "palette": image.convert("P"),
        "gray array": gray,
        "integers": gray.astype(np.int64),
        "RGB array": np.asarray(image.convert("RGB")),
        "RGBA array": np.asarray(image.convert("RGBA")).astype(np.float32),
    }


@pytest.mark.parametrize("kind", _sources())
def test_each_kind_of_source(kind: str) -> None:
    record = run("predict", "--scores", SEVEN).record
    digit = mnist_cli.predict(_sources()[kind])
    assert (digit.digit, digit.probability, digit.digitness, list(digit.box)) == (
        record["prediction"],
        record["probability"],
        record["digitness"],
        record["box"],
    )
    assert list(digit.scores) == record["scores"]
    assert not digit.uncertain
    assert digit.image.shape == (28, 28)


def test_the_orientation_and_transparency_of_an_image_are_applied(tmp_path: Path) -> None:
    upright = Image.open(SEVEN).convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # the picture is shown turned by 90 degrees clockwise
    turned = tmp_path / "turned.png"
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    with Image.open(turned) as image:
        assert mnist_cli.predict(image) == mnist_cli.predict(turned) == mnist_cli.predict(upright)
    white_ink = Image.new("LA", upright.size, (255, 0))
    white_ink.putalpha(upright.point(lambda value: 255 - value))
    assert mnist_cli.predict(white_ink).digit == 7


def test_models_and_preprocessing() -> None:
    model = mnist_cli.load_model("t_ffnn")
    assert (model.name, repr(model)) == ("t_ffnn", "<DigitModel t_ffnn>")
    expected = run("predict", "--model", "t_ffnn", "--preprocess", "plain", SEVEN).record
    digit = model.predict(SEVEN, preprocess="plain")
    assert (digit.digit, digit.probability) == (expected["prediction"], expected["probability"])
    path = ROOT / "saved_models" / "e_cnn"
    assert mnist_cli.predict(SEVEN, model=path).digit == 7
    inverted = mnist_cli.load_model(path, input="1..0").predict(SEVEN, preprocess="plain")
    assert inverted.scores[7] < 0.9
    with pytest.raises(mnist_cli.ModelError, match=r"no model named 'k_cn'; did you mean k_cnn\?"):
        mnist_cli.load_model("k_cn")


def test_many_pictures() -> None:
    """More than a batch, some of which need the detector."""
    names = [f"MNIST-{digit}.png" for digit in range(10)]
    files = [SAMPLES / name for name in (*names, "house-number-407.png", "off-centre-2.png")] * 3
    model = mnist_cli.load_model()
    found = model.predict_many(iter(files))
    assert list(found) == [model.predict(file) for file in files]
    assert list(model.predict_many([])) == []


def test_numbers() -> None:
    number = mnist_cli.load_model().read_number(HOUSE_NUMBER)
    record = run("predict", "--multi", HOUSE_NUMBER).record
    assert (number.text, number.probability) == ("407", record["probability"])
    assert [digit.digit for digit in number.digits] == [4, 0, 7]
    assert [list(digit.box) for digit in number.digits] == [
        digit["box"] for digit in record["digits"]
    ]
    assert not number.uncertain
    blank = mnist_cli.load_model().read_number(np.full((50, 50), 255, np.uint8))
    assert (blank.text, blank.digits) == ("", ())
    assert blank._repr_png_() is None
    assert blank._repr_html_() is None


def test_notebooks_show_lines_of_digits_below_each_other() -> None:
    pixels, _ = printed(["27", "354"])
    number = mnist_cli.load_model().read_number(pixels)
    assert number.text == "27\n354"
    png, html = number._repr_png_(), number._repr_html_()
    assert png and html and "<b>27\n354</b>" in html
    shown = np.asarray(Image.open(io.BytesIO(png)))[::4, ::4]
    expected = np.full((56, 84), 255)
    expected[:28, :56] = np.hstack([digit.image for digit in number.digits[:2]])
    expected[28:] = np.hstack([digit.image for digit in number.digits[2:]])
    assert np.array_equal(shown, expected)


def test_notebooks_show_what_the_model_read() -> None:
    model = mnist_cli.load_model()
    digit = model.predict(SEVEN)
    shown = Image.open(io.BytesIO(digit._repr_png_()))
    assert shown.size == (112, 112)
    assert np.array_equal(np.asarray(shown)[::4, ::4], digit.image)
    number = model.read_number(HOUSE_NUMBER)
    png = number._repr_png_()
    assert png and Image.open(io.BytesIO(png)).size == (3 * 112, 112)
    answers = (digit, "<b>7</b> 100.00 %"), (number, f"<b>407</b> {number.probability:.2f} %")
    for answer, text in answers:
        html = answer._repr_html_()
        assert html and f"<figcaption>{text}</figcaption>" in html
        [data] = re.findall(r'<img src="data:image/png;base64,(.*?)"', html)
        assert base64.b64decode(data) == answer._repr_png_()
    several = model.predict(HOUSE_NUMBER)
    assert several.uncertain and " % uncertain</figcaption>" in several._repr_html_()
    assert repr(digit).startswith("Digit(digit=7, probability=100.0, digitness=")
    assert repr(digit).endswith(", uncertain=False, box=Box(x=21, y=21, width=42, height=61))")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Path("no-such.png"), "no-such.png: no such file"),
        (str(ROOT), f"{ROOT}: is a folder"),
        (b"", "the file is empty"),
        (b"hello", "not a picture"),
        (np.zeros((28, 28), np.uint8), "no digit in the picture: it is blank"),
        (np.zeros((0, 28)), "the picture has no pixels"),
        (np.zeros(784), r"the array has the shape \[784\]: expected \[H, W\]"),
        (np.zeros((28, 28, 2)), r"the array has the shape \[28, 28, 2\]"),
        (np.full((28, 28), -1.0), "values outside of 0"),
        (np.full((28, 28), np.nan), "values outside of 0"),
        (np.eye(28), "values from 0 to 1"),
        (Image.new("F", (28, 28)), "unknown in 32-bit floats"),
        (Image.open(io.BytesIO(SEVEN.read_bytes()[:-100])), "the picture is damaged"),
    ],
)
def test_bad_sources(source: mnist_cli.Source, message: str) -> None:
    model = mnist_cli.load_model()
    with pytest.raises(mnist_cli.InputError, match=message):
        model.predict(source)
    many = model.predict_many([SEVEN, source, SEVEN])
    assert next(many) == model.predict(SEVEN)
    with pytest.raises(mnist_cli.InputError, match=message):
        next(many)


def test_a_source_of_another_type() -> None:
    with pytest.raises(TypeError, match="a picture cannot be a int: use a path, bytes"):
        mnist_cli.predict(7)  # type: ignore[arg-type]


def test_many_threads_use_one_model() -> None:
    model = mnist_cli.load_model()
    barrier = threading.Barrier(4)

    def read(digit: int) -> int:
        barrier.wait()
        return model.predict(SAMPLES / f"MNIST-{digit}.png").digit

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read, range(8))) == list(range(8))


def test_the_package_is_imported_without_other_libraries() -> None:
    code = (
        "import sys; before = set(sys.modules); import mnist_cli, json; names = dir(mnist_cli)\n"
        "print(json.dumps([names, sorted(set(sys.modules) - before)]))\n"
        "mnist_cli.predict; print('numpy' in sys.modules, 'rich' in sys.modules)\n"
        "mnist_cli.nothing"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    first, second = result.stdout.splitlines()
    names, imported = json.loads(first)
    assert set(mnist_cli.__all__) <= set(names)
    assert {name.partition(".")[0] for name in imported} <= {"mnist_cli"} | sys.stdlib_module_names
    assert second == "True False"
    assert "module 'mnist_cli' has no attribute 'nothing'" in result.stderr
