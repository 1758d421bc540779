"""`mnist evaluate`: the metrics of a model on labelled pictures."""

import gzip
import json
import os
import re
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mnist_cli.option_types import MNIST_TEST_SET_URL
from tests import models
from tests.models import Weights
from tests.running import SAMPLES, run, run_on_terminal, run_process, without

Digits = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


def idx(values: npt.NDArray[np.uint8]) -> bytes:
    """Bytes in the IDX format."""
    header = struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)
    return header + values.tobytes()


def write_idx(folder: Path, split: str, digits: Digits, labels: Labels) -> Path:
    """Write pictures that are dark on light as IDX files, which are light on dark."""
    folder.mkdir(exist_ok=True)
    images = gzip.compress(idx(255 - digits))
    (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(images)
    numbers = gzip.compress(idx(labels.astype(np.uint8)))
    (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(numbers)
    return folder


@pytest.fixture
def mnist(tmp_path: Path, digits: Digits, labels: Labels) -> Path:
    """A test set of 500 images, 50 of each digit."""
    return write_idx(tmp_path / "mnist", "t10k", digits[::10], labels[::10])


@pytest.fixture
def rough(tmp_path: Path, weights: Weights) -> Path:
    """A model that makes mistakes."""
    return models.tensorflow_1(tmp_path / "rough", weights)


def test_the_metrics_agree_with_numpy(
    mnist: Path, rough: Path, weights: Weights, digits: Digits, labels: Labels
) -> None:
    record = run("evaluate", rough, "--data", mnist).record
    images = (255 - digits[::10]).reshape(-1, 784).astype(np.float32) / np.float32(255)
    scores, truth = weights.probabilities(images), labels[::10]
    predictions = scores.argmax(axis=1)

    assert list(record)[:5] == ["model", "data", "images", "accuracy", "ece"]
    assert (record["model"], record["data"], record["images"]) == ("rough", str(mnist), 500)
    assert record["accuracy"] == np.mean(predictions == truth) < 0.95
    confusion = np.array(record["confusion"])
    assert confusion.shape == (10, 10) and confusion.sum() == 500
    for digit in range(10):
        assert record["recall"][digit] == np.mean(predictions[truth == digit] == digit)
        assert confusion[digit, 7] == np.sum(predictions[truth == digit] == 7)

    bins = np.ceil(scores.max(axis=1) * 15).astype(int)
    gaps = [
        abs((predictions == truth)[bins == index].mean() - scores.max(axis=1)[bins == index].mean())
        * np.mean(bins == index)
        for index in np.unique(bins)
    ]
    assert record["ece"] == pytest.approx(sum(gaps), abs=1e-5)


def test_mistakes_are_sorted_by_confidence(mnist: Path, rough: Path) -> None:
    mistakes = run("evaluate", rough, "--data", mnist).record["mistakes"]
    assert len(mistakes) == 10
    confidence = [mistake["probability"] for mistake in mistakes]
    assert confidence == sorted(confidence, reverse=True)
    assert all(mistake["prediction"] != mistake["digit"] for mistake in mistakes)
    index = int(mistakes[0]["file"].removeprefix("t10k-images-idx3-ubyte[").rstrip("]"))
    assert mistakes[0]["digit"] == index // 50  # the pictures are sorted by digit


@pytest.mark.parametrize("model", ["t_cnn", "t_ffnn"])
def test_the_shipped_models(model: str, mnist: Path) -> None:
    result = run("evaluate", model, "--data", mnist)
    assert (result.code, result.stderr) == (0, "")
    assert result.record["accuracy"] > 0.98
    assert run("evaluate", "--data", mnist).record["accuracy"] > 0.98


def test_files_that_are_not_gzipped(mnist: Path) -> None:
    packed = run("evaluate", "t_cnn", "--data", mnist).record
    for file in mnist.iterdir():
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert run("evaluate", "t_cnn", "--data", mnist).record == packed


def test_a_folder_for_each_digit(tmp_path: Path) -> None:
    for digit in (2, 3, 7):
        (tmp_path / str(digit)).mkdir()
        picture = SAMPLES / f"MNIST-{digit}.png"
        (tmp_path / str(digit) / "a.png").write_bytes(picture.read_bytes())
    (tmp_path / "7" / "wrong.png").write_bytes((SAMPLES / "MNIST-1.png").read_bytes())
    (tmp_path / "7" / ".hidden").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("ignored")
    (tmp_path / "7" / "Thumbs.db").write_bytes(bytes(100))
    (tmp_path / "7" / "more").mkdir()
    (tmp_path / "7" / "without-suffix").write_bytes((SAMPLES / "MNIST-7.png").read_bytes())
    record = run("evaluate", "t_cnn", "--data", tmp_path).record
    assert (record["images"], record["accuracy"]) == (5, 0.8)
    assert record["recall"][:4] == [None, None, 1.0, 1.0]
    assert record["recall"][7] == pytest.approx(2 / 3)
    assert record["no_digit"] == []
    [mistake] = record["mistakes"]
    assert mistake["file"] == str(tmp_path / "7" / "wrong.png")
    assert (mistake["digit"], mistake["prediction"]) == (7, 1)


def test_pictures_without_a_digit_count_as_misread(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    blank, zero = tmp_path / "0" / "blank.png", tmp_path / "0" / "zero.png"
    Image.new("L", (50, 50), 200).save(blank)
    zero.write_bytes((SAMPLES / "MNIST-0.png").read_bytes())
    record = run("evaluate", "--data", tmp_path).record
    assert (record["images"], record["accuracy"], record["recall"][0]) == (2, 0.5, 0.5)
    assert np.sum(record["confusion"]) == 1 and record["mistakes"] == []
    assert record["ece"] < 0.01  # of the pictures that were read
    assert record["no_digit"] == [str(blank)]
    text = run("evaluate", "--data", tmp_path, "--format", "text").stdout
    assert text.endswith(f"\nno digit found in 1 picture\n  {blank}\n")
    zero.unlink()
    result = run("evaluate", "--data", tmp_path)
    assert (result.code, result.stdout) == (3, "")
    assert result.error == f"{tmp_path}: no digit in any picture"


def test_preprocess(tmp_path: Path) -> None:
    (tmp_path / "2").mkdir()
    picture = tmp_path / "2" / "off-centre.png"
    picture.write_bytes((SAMPLES / "off-centre-2.png").read_bytes())
    plain = run("predict", "--preprocess", "plain", picture).record
    record = run("evaluate", "--data", tmp_path, "--preprocess", "plain").record
    assert plain["prediction"] != 2
    assert [(row["prediction"], row["probability"]) for row in record["mistakes"]] == [
        (plain["prediction"], plain["probability"])
    ]
    assert run("evaluate", "--data", tmp_path).record["accuracy"] == 1


def test_text(mnist: Path, rough: Path) -> None:
    text = run("evaluate", rough, "--data", mnist, "--format", "text").stdout
    record = run("evaluate", rough, "--data", mnist, "--format", "json").record
    assert f"{record['accuracy']:.2%}" in text
    assert f"{record['ece']:.2%}" in text
    assert "recall" in text
    rows = [line.split() for line in text.splitlines() if line.endswith("%")]
    [zeros] = [row for row in rows if row[0] == "0"]
    counts = [0 if cell == "." else int(cell) for cell in zeros[1:11]]
    assert counts == record["confusion"][0]
    assert text.count("t10k-images-idx3-ubyte[") == 10


def test_a_terminal_gets_text_and_progress(mnist: Path) -> None:
    screen = run_on_terminal("evaluate", "t_cnn", "--data", mnist)
    assert "reading" in screen and "100%" in screen
    assert "recall" in screen and "\x1b[" in screen


def test_plot(mnist: Path, rough: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "evaluation.png"
    result = run("evaluate", rough, "--data", mnist, "--plot", file)
    assert result.code == 0
    assert re.fullmatch("mnist: info: model rough: self-test .*\n", result.stderr)
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 600
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 100


def test_an_unwritable_plot(mnist: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for file in (tmp_path / "none" / "a.png", tmp_path / "a.unknown"):
        result = run("evaluate", "t_cnn", "--data", mnist, "--plot", file)
        assert result.code == 74
        assert "cannot write the plot" in result.error
        assert result.record["images"] == 500  # the metrics are written all the same


def test_a_plot_without_matplotlib(mnist: Path, tmp_path: Path) -> None:
    arguments = ("evaluate", "t_cnn", "--data", str(mnist))
    result = run_process(*arguments, program=without("matplotlib"))
    assert (result.code, result.stderr) == (0, "")
    file = tmp_path / "a.png"
    result = run_process(*arguments, "--plot", str(file), program=without("matplotlib"))
    assert (result.code, result.stdout) == (74, "")
    assert "pip install '.[plots]'" in result.tip
    assert not file.exists()


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    result = run("evaluate", "t_cnn", "--data", tmp_path)
    assert (result.code, result.stdout) == (3, "")
    assert str(tmp_path) in result.error and "subfolders 0 to 9" in result.error
    assert result.tip == f"download the test set into it with: curl -O '{MNIST_TEST_SET_URL}'"
    missing = tmp_path / "none"
    assert run("evaluate", "t_cnn", "--data", missing).error == f"{missing}: no such folder"


def test_a_missing_file(mnist: Path) -> None:
    (mnist / "t10k-labels-idx1-ubyte.gz").unlink()
    result = run("evaluate", "t_cnn", "--data", mnist)
    assert result.code == 3
    assert result.error == f"{mnist / 't10k-labels-idx1-ubyte.gz'}: no such file"
    assert result.tip.endswith("/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(idx(np.zeros((9, 28, 28), np.uint8)))[:-9], "truncated or damaged"),
        (b"not gzipped", "truncated or damaged"),
        (gzip.compress(b"\0\0\x08\x03"), "4 bytes, the IDX header alone has 16"),
        (gzip.compress(idx(np.zeros((9, 28), np.uint8)) + bytes(9)), "magic number 0x00000802"),
        (gzip.compress(idx(np.zeros((9, 28, 28), np.uint8))[:-1]), "the header (9, 28, 28) says"),
        (gzip.compress(idx(np.zeros((9, 28, 28), np.uint8))), "9 t10k images but 500 labels"),
        (gzip.compress(idx(np.zeros((500, 8, 28), np.uint8))), "expected N x 28 x 28"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip files contain the time
)
def test_a_damaged_file(content: bytes, message: str, mnist: Path) -> None:
    (mnist / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    result = run("evaluate", "t_cnn", "--data", mnist)
    assert (result.code, result.stdout) == (3, "")
    assert message in result.error


def test_a_label_above_9(mnist: Path, digits: Digits) -> None:
    write_idx(mnist, "t10k", digits[:3], np.array([1, 2, 10]))
    assert "label is 10" in run("evaluate", "t_cnn", "--data", mnist).error


def test_an_unreadable_picture(tmp_path: Path) -> None:
    (tmp_path / "4").mkdir()
    file = tmp_path / "4" / "a.png"
    file.write_text("not a picture")
    result = run("evaluate", "t_cnn", "--data", tmp_path)
    assert (result.code, result.stdout) == (3, "")
    assert result.error.startswith(f"{file}: not a picture")


def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    os.mkfifo(tmp_path / "7" / "pipe.png")
    result = run("evaluate", "--data", tmp_path)
    assert result.code == 3
    assert result.error == f"{tmp_path}/7/pipe.png: is a named pipe: use a regular file"


def test_an_unknown_model(mnist: Path) -> None:
    result = run("evaluate", "t_cn", "--data", mnist)
    assert result.code == 4
    assert result.tip == "did you mean t_cnn?"


def test_data_is_required() -> None:
    result = run("evaluate", "t_cnn")
    assert result.code == 2
    assert "--data" in result.error


def test_help_and_start_up() -> None:
    text = run("evaluate", "--help").stdout
    assert "mnist evaluate t_cnn --data mnist" in text
    assert f"cd mnist\n    curl -O \\\n      '{MNIST_TEST_SET_URL}'\n    cd .." in text
    program = without("numpy", "PIL", "rich", "tensorflow", "matplotlib")
    for arguments in (("--help",), ("evaluate", "--help")):
        result = run_process(*arguments, program=program)
        assert (result.code, result.stderr) == (0, "")
        assert "evaluate" in result.stdout


def test_the_record_is_one_line_of_json(mnist: Path) -> None:
    result = run_process("evaluate", "t_cnn", "--data", str(mnist))
    [line] = result.stdout.splitlines()
    assert json.loads(line)["model"] == "t_cnn"
