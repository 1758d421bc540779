"""`mnist predict-batch --annotate`: pictures with the boxes and answers of their digits."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mnist_cli.annotate import annotated
from mnist_cli.picture import Picture
from mnist_cli.records import PredictionRecord
from tests.drawing import PAPER
from tests.running import SAMPLES, Result, run

CERTAIN, UNCERTAIN = (0, 158, 115), (213, 94, 0)


def _annotate(folder: Path, *arguments: str | Path, source: Path) -> Result:
    return run("predict-batch", "--quiet", *arguments, "--annotate", folder, source)


def _files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def _colours_of_boxes(
    file: Path, digits: list[dict[str, Any]], scale: float
) -> Iterator[list[tuple[int, ...]]]:
    """The colours just outside of the left, right and lower edge of each box."""
    with Image.open(file) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        for digit in digits:
            left, top, width, height = (scale * side for side in digit["box"])
            points = (
                (left - 1, top + height / 2),
                (left + width + 1, top + height / 2),
                (left + width / 2, top + height + 1),
            )
            yield [picture.getpixel((round(x), round(y))) for x, y in points]  # type: ignore[misc]


def test_a_box_around_a_digit(tmp_path: Path) -> None:
    before = (SAMPLES / "MNIST-7.png").read_bytes()
    result = _annotate(tmp_path / "out", source=SAMPLES / "MNIST-7.png")
    assert (result.code, result.stderr) == (0, "")
    assert result.records == run("predict-batch", "--quiet", SAMPLES / "MNIST-7.png").records
    [name] = _files(tmp_path / "out")
    assert name == "MNIST-7.png.png"
    scale = 6  # of 84x85 pixels, so that the answer can be read
    [colours] = _colours_of_boxes(tmp_path / "out" / name, result.records, scale)
    assert set(colours) == {CERTAIN}
    with Image.open(tmp_path / "out" / name) as picture, Image.open(SAMPLES / "MNIST-7.png") as old:
        assert picture.size == (84 * scale, 85 * scale)
        assert picture.getpixel((5, 5)) == old.convert("RGB").getpixel((0, 0))
        # The answer is above the box, which begins at a height of 21 pixels.
        x, y, width, _ = (scale * side for side in result.record["box"])
        above = picture.crop((x, y - 60, x + width, y - 10))
        assert CERTAIN in {colour for _, colour in above.getcolors(10_000) or ()}
    assert (SAMPLES / "MNIST-7.png").read_bytes() == before


def test_an_uncertain_digit_has_another_colour(tmp_path: Path) -> None:
    result = _annotate(tmp_path, source=SAMPLES / "house-number-407.png")
    assert result.record["uncertain"]
    [colours] = _colours_of_boxes(tmp_path / "house-number-407.png.png", result.records, 2)
    assert set(colours) == {UNCERTAIN}


def test_boxes_around_all_digits(tmp_path: Path) -> None:
    result = _annotate(tmp_path, "--multi", source=SAMPLES / "house-number-407.png")
    digits = result.record["digits"]
    colours = list(_colours_of_boxes(tmp_path / "house-number-407.png.png", digits, 2))
    assert colours == [[CERTAIN] * 3] * 3


def test_a_large_photograph_is_reduced(tmp_path: Path) -> None:
    picture = tmp_path / "photo.jpg"
    with Image.open(SAMPLES / "off-centre-2.png") as image:
        image.convert("L").resize((4000, 3000)).save(picture)
    result = _annotate(tmp_path / "out", source=picture)
    with Image.open(tmp_path / "out" / "photo.jpg.png") as annotated:
        width, height = annotated.size
    assert 800 <= width <= 1600 and height * 4 == width * 3
    [colours] = _colours_of_boxes(tmp_path / "out" / "photo.jpg.png", result.records, width / 4000)
    assert set(colours) == {CERTAIN}


def test_every_picture_has_its_own_file(tmp_path: Path) -> None:
    names = ["7.jpg", "7.jpg.png", "7.png", "7.png.png", "a/7.png", "a/b/7.png"]
    top, out = tmp_path / "in", tmp_path / "out"
    (top / "a" / "b").mkdir(parents=True)
    for name in names:
        shutil.copy(SAMPLES / "MNIST-7.png", top / name)
    (top / "damaged.png").write_bytes(b"no picture")
    assert _annotate(out, source=top).code == 5
    assert _files(out) == sorted(f"{name}.png" for name in names)
    shutil.rmtree(out)
    assert _annotate(out, top / "a" / "b", source=top / "7.jpg").code == 0
    assert _files(out) == ["7.jpg.png", "a/b/7.png.png"]
    shutil.rmtree(out)
    listed = f"{top}/a/7.png\n{top}/a/../7.png\n".encode()
    assert run("predict-batch", "--quiet", "--annotate", out, "-", stdin=listed).code == 0
    assert _files(out) == [f"{top}/{name}.png".lstrip("/") for name in ("7.png", "a/7.png")]


def test_a_picture_without_digits_has_no_box(tmp_path: Path) -> None:
    Image.new("L", (600, 400), PAPER).save(tmp_path / "blank.png")
    assert _annotate(tmp_path / "out", "--multi", source=tmp_path / "blank.png").code == 0
    with Image.open(tmp_path / "out" / "blank.png.png") as picture:
        assert picture.getcolors() == [(600 * 400, (PAPER, PAPER, PAPER))]


def test_an_uncertain_answer_has_a_question_mark() -> None:
    picture = Picture.from_pixels(np.full((600, 800), PAPER, np.uint8))
    certain: PredictionRecord = {
        "prediction": 7,
        "probability": 50.0,
        "digitness": 0.5,
        "model": "k_cnn",
        "box": [300, 300, 80, 120],
    }
    uncertain: PredictionRecord = {**certain, "uncertain": True}
    widths = []
    for record in (certain, uncertain):
        above = np.asarray(annotated(picture, record))[:280]
        widths.append(int((above != PAPER).any(axis=(0, 2)).sum()))
    assert 0 < widths[0] < widths[1]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    source, full = tmp_path / "in", tmp_path / "full"
    for folder in (source, full):
        folder.mkdir()
        shutil.copy(SAMPLES / "MNIST-7.png", folder / "7.png")
    link = tmp_path / "link"
    link.symlink_to(source)
    for target, error in (
        (full, f"{full} is not empty"),
        (source, f"{source} is inside {source}, which is read"),
        (source / "out", f"{source / 'out'} is inside {source}, which is read"),
        (link / "out", f"{link / 'out'} is inside {source}, which is read"),
        (full / "7.png", f"cannot write {full / '7.png'}: File exists"),
    ):
        for output in ((), ("--output", tmp_path / "digits.csv")):
            result = _annotate(target, *output, source=source)
            assert (result.code, result.stdout, result.error) == (74, "", error)
    assert _files(tmp_path) == ["full/7.png", "in/7.png"]


def test_a_name_that_becomes_too_long(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    name = "7" * 250 + ".png"
    shutil.copy(SAMPLES / "MNIST-7.png", source / name)
    result = _annotate(tmp_path / "out", source=source)
    assert result.code == 74
    assert result.error == f"cannot write {tmp_path / 'out' / name}.png: File name too long"


def test_an_interrupted_batch_is_resumed_with_the_same_folder(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    shutil.copy(SAMPLES / "MNIST-1.png", source / "1.png")
    (source / "2.png").write_bytes(b"no picture")
    output = ("--output", tmp_path / "digits.csv")
    assert _annotate(out, *output, "--fail-fast", source=source).code == 5
    assert _files(out) == ["1.png.png"]
    other = _annotate(tmp_path / "other", *output, "--resume", source=source)
    assert other.code == 3
    assert f"was written with annotate {out}, not {tmp_path / 'other'}" in other.error
    shutil.copy(SAMPLES / "MNIST-2.png", source / "2.png")
    assert _annotate(out, *output, "--resume", source=source).code == 0
    assert _files(out) == ["1.png.png", "2.png.png"]


def test_not_on_a_cluster(tmp_path: Path) -> None:
    result = _annotate(tmp_path / "out", "--ray", "local", source=SAMPLES)
    assert (result.code, result.error) == (2, "--annotate cannot be used with --ray")
    assert not _files(tmp_path)
