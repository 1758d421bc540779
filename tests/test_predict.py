"""`mnist predict`: records, formats and options."""

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_cli.loader import SHIPPED_MODELS, find_models
from tests.drawing import PAPER, handwriting
from tests.running import MNIST, ROOT, SAMPLES, run, run_process

PICTURES = sorted(SAMPLES.glob("*-[0-9].png"))  # of one digit


def _digit(picture: Path) -> int:
    return int(picture.stem.rpartition("-")[2])


@pytest.mark.parametrize("model", [model.name for model in find_models()])
def test_reads_all_samples(model: str) -> None:
    result = run("predict", "--model", model, *PICTURES)
    assert (result.code, result.stderr) == (0, "")
    assert [record["prediction"] for record in result.records] == list(map(_digit, PICTURES))


def test_reads_the_mnist_samples_without_preprocessing() -> None:
    pictures = sorted(SAMPLES.glob("MNIST-*.png"))
    result = run("predict", "--preprocess", "plain", *pictures)
    assert [record["prediction"] for record in result.records] == list(range(10))


def test_a_pipe_gets_one_json_object_per_line() -> None:
    result = run_process("predict", "MNIST-7.png", "MNIST-1.png", cwd=SAMPLES)
    assert (result.code, result.stderr) == (0, "")
    first, second = result.stdout.splitlines()
    record = json.loads(first)
    assert list(record) == ["prediction", "probability", "digitness", "model", "box", "file"]
    assert record | {"probability": None, "digitness": None} == {
        "prediction": 7,
        "probability": None,
        "digitness": None,
        "model": "k_cnn",
        "box": [21, 21, 42, 61],
        "file": "MNIST-7.png",
    }
    assert 90 < record["probability"] <= 100
    assert 0.9 < record["digitness"] <= 1
    assert json.loads(second)["prediction"] == 1


def test_scores_are_ten_probabilities() -> None:
    record = run("predict", "--scores", SAMPLES / "MNIST-4.png").record
    scores = record["scores"]
    assert len(scores) == 10
    assert all(0 <= score <= 1 for score in scores)
    assert sum(scores) == pytest.approx(1, abs=1e-6)
    assert scores.index(max(scores)) == record["prediction"] == 4
    assert record["probability"] == round(100 * max(scores), 2)


def test_stdin() -> None:
    picture = (SAMPLES / "MNIST-5.png").read_bytes()
    record = run("predict", "-", stdin=picture).record
    assert (record["file"], record["prediction"]) == ("-", 5)
    assert run_process("predict", "-", stdin=picture).record == record


def test_a_pipe_that_is_passed_as_a_file() -> None:
    command = f"{shlex.join(MNIST)} predict <(cat MNIST-5.png)"
    done = subprocess.run(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        cwd=SAMPLES,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert json.loads(done.stdout)["prediction"] == 5


def test_csv() -> None:
    result = run("predict", "--format", "csv", SAMPLES / "MNIST-2.png", "none.png")
    good, bad = csv.DictReader(io.StringIO(result.stdout))
    assert (good["prediction"], good["model"], good["error"]) == ("2", "k_cnn", "")
    assert (bad["file"], bad["prediction"]) == ("none.png", "")
    assert bad["error"].startswith("no such file")


def test_csv_with_scores() -> None:
    result = run("predict", "--format", "csv", "--scores", SAMPLES / "MNIST-2.png")
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert sum(float(row[f"score_{digit}"]) for digit in range(10)) == pytest.approx(1, abs=1e-6)


def test_text() -> None:
    result = run("predict", "--format", "text", SAMPLES / "MNIST-2.png", SAMPLES / "MNIST-3.png")
    first, second = result.stdout.splitlines()
    assert first.startswith("2  ") and "%" in first and first.endswith("MNIST-2.png")
    assert second.startswith("3  ")


def test_text_with_scores_has_ten_bars() -> None:
    result = run("predict", "--format", "text", "--scores", SAMPLES / "MNIST-2.png")
    _, *bars = result.stdout.splitlines()
    assert [bar[0] for bar in bars] == list("0123456789")
    assert [digit for digit, bar in enumerate(bars) if "█" * 20 in bar] == [2]


def test_show_draws_the_picture_and_ten_bars() -> None:
    result = run("predict", "--show", SAMPLES / "MNIST-1.png")
    answer, *drawing = result.stdout.splitlines()
    assert answer.startswith("1  ")
    assert len(drawing) == 14
    columns = [line[:28] for line in drawing]
    assert set("".join(columns)) <= set(" ▀▄█")
    # A one is a stroke in the middle.
    assert all(column[:9].isspace() for column in columns)
    assert sum("█" in column[9:20] for column in columns) >= 5
    bars = [line[28:].split() for line in drawing if "%" in line]
    assert [bar[0] for bar in bars] == list("0123456789")
    assert [bar[0] for bar in bars if "█" * 25 in bar[1]] == ["1"]


@pytest.mark.parametrize("option", [("--format", "json"), ("--output", "a.jsonl")])
def test_show_is_text_on_stdout(option: tuple[str, str]) -> None:
    result = run("predict", "--show", *option, SAMPLES / "MNIST-1.png")
    assert result.code == 2
    assert "--show" in result.error and option[0] in result.error


def test_json_and_jsonl_are_the_same() -> None:
    for command in ("predict", "predict-batch", "inspect-model"):
        argument = "k_cnn" if command == "inspect-model" else SAMPLES / "MNIST-1.png"
        json_lines, same = (
            run(command, "--quiet", "--format", format, argument) for format in ("json", "jsonl")
        )
        assert json_lines == same
        assert json_lines.record["model"] == "k_cnn"


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.csv", ()), ("a.jsonl", ()), ("a.json", ()), ("a", ()), ("a.txt", ("--format", "csv"))],
)
def test_an_output_file_has_the_same_content_as_stdout(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text("of an earlier run")
    pictures = (SAMPLES / "MNIST-1.png", "none.png")
    format = options or ("--format", "csv" if name == "a.csv" else "json")
    expected = run("predict", *format, *pictures)
    result = run("predict", *options, "-o", file, *pictures, terminal=True)
    assert (result.code, result.stdout) == (3, "")
    assert file.read_text() == expected.stdout
    assert list(tmp_path.iterdir()) == [file]
    assert run("predict", *format, "-o", "-", *pictures) == expected


def test_an_output_file_appears_when_all_pictures_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    file = tmp_path / "a.csv"
    file.write_text("of an earlier run")
    monkeypatch.setattr("mnist_cli.reshape.to_model_input", fail)
    assert run("predict", "-o", file, SAMPLES / "MNIST-1.png").code == 70
    assert file.read_text() == "of an earlier run"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "options", "code", "message"),
    [
        ("a.txt", (), 2, "--output: .txt is not the suffix of a format"),
        ("a.parquet", (), 2, "--format: parquet cannot be written to {file}"),
        ("a.csv", ("--format", "text"), 2, "--format: text cannot be written to {file}"),
        ("none/a.csv", (), 74, "cannot write {file}: No such file or directory"),
        ("", (), 74, "is not a regular file"),
        ("a.csv", ("--model", "none"), 4, "no model named 'none'"),
    ],
)
def test_an_output_file_that_cannot_be_written(
    name: str, options: tuple[str, ...], code: int, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    result = run("predict", *options, "--output", file, SAMPLES / "MNIST-1.png")
    assert (result.code, result.stdout) == (code, "")
    assert message.format(file=file) in result.error
    assert list(tmp_path.iterdir()) == []


def test_a_picture_with_several_digits_hints_at_multi(tmp_path: Path) -> None:
    picture = SAMPLES / "house-number-407.png"
    result = run("predict", picture, SAMPLES / "MNIST-1.png")
    assert (result.code, result.records[0]["uncertain"]) == (0, True)
    [line] = result.stderr.splitlines()
    assert line == f"mnist: tip: {picture} shows several digits: use --multi"
    noise = tmp_path / "noise.png"  # uncertain, too
    pixels = np.random.default_rng(0).normal(128, 90, (100, 100)).clip(0, 255)
    Image.fromarray(pixels.astype(np.uint8)).save(noise)
    assert run("predict", noise).record["uncertain"]
    beside = tmp_path / "beside.png"  # a large digit is certain in spite of a small one
    page = Image.new("L", (320, 200), PAPER)
    page.paste(Image.fromarray(handwriting(7)).resize((100, 140)), (30, 30))
    page.paste(Image.fromarray(handwriting(4)), (220, 120))
    page.save(beside)
    assert run("predict", "--multi", beside).record["text"] == "74"
    for arguments in (
        ("--quiet", picture),
        ("--multi", picture),
        ("--preprocess", "plain", picture),
        ("--min-probability", "100", SAMPLES / "MNIST-5.png"),  # uncertain, but one digit
        (noise,),
        (beside,),
    ):
        result = run("predict", *arguments)
        assert (result.code, result.stderr) == (0, "")


def test_min_probability_marks_less_probable_results(tmp_path: Path) -> None:
    model = tmp_path / "model"  # without a calibration nothing is uncertain by itself
    uncalibrated = shutil.ignore_patterns("calibration.json")
    shutil.copytree(SHIPPED_MODELS / "t_cnn", model, ignore=uncalibrated)
    picture = SAMPLES / "off-centre-2.png"  # less probable without preprocessing
    arguments = ("predict", "--preprocess", "plain", "--model", model, picture)
    probability = run(*arguments).record["probability"]
    assert probability < 99.9
    above = run(*arguments, "--min-probability", str(probability))
    below = run(*arguments, "--min-probability", str(probability + 0.01))
    assert (above.code, below.code) == (0, 0)
    assert "uncertain" not in above.record
    assert below.record == above.record | {"uncertain": True}
    text = run(*arguments, "--format", "text", "--min-probability", "100")
    assert text.stdout.rstrip().endswith("uncertain")
    assert run(*arguments, "--min-probability", "101").code == 2


def test_the_result_does_not_depend_on_the_working_folder(tmp_path: Path) -> None:
    there = run_process("predict", SAMPLES / "MNIST-6.png", cwd=tmp_path)
    here = run_process("predict", SAMPLES / "MNIST-6.png")
    assert there == here
    assert there.record["prediction"] == 6


@pytest.mark.tensorflow
def test_both_runtimes_give_the_same_record() -> None:
    litert, tensorflow = (
        run("predict", "--runtime", runtime, *PICTURES) for runtime in ("litert", "tensorflow")
    )
    for one, other in zip(litert.records, tensorflow.records, strict=True):
        # The weights of the compiled model have 8 bits.
        assert one.pop("probability") == pytest.approx(other.pop("probability"), abs=0.1)
        assert one.pop("digitness") == pytest.approx(other.pop("digitness"), abs=0.01)
        assert one == other


def test_records_come_in_the_order_of_the_files() -> None:
    files = [str(SAMPLES / name) for name in ("MNIST-9.png", "none.png", "MNIST-0.png")]
    assert [record["file"] for record in run("predict", *files).records] == files
