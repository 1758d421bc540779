"""The pictures in `docs/images` show the program as it is."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Chrome

from tests.running import ROOT, SAMPLES
from tests.serving import Server

FOLDER = ROOT / "docs" / "images"
if not FOLDER.is_dir():
    pytest.skip("docs/ is not in the sdist", allow_module_level=True)

from docs.images.make import evaluation_plot, make, save  # noqa: E402
from docs.images.misread import COLUMNS, misread_sheet  # noqa: E402
from training.data import Digits  # noqa: E402

MAX_BYTES = {".png": 150_000, ".svg": 100_000}
# Fonts differ between machines; a page in the other colours differs by 200 levels.
MAX_MEAN_DIFFERENCE = 8


def _text(svg: Path) -> list[str]:
    return [html.unescape(text) for text in re.findall(r">([^<]*)</text>", svg.read_text())]


def _levels(png: Path) -> "np.typing.NDArray[np.float64]":
    with Image.open(png) as picture:
        return np.asarray(picture.convert("L"), np.float64)


def test_the_pictures_are_up_to_date(
    chrome: Chrome, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    make(tmp_path, chrome, server)
    made = {file.name for file in tmp_path.iterdir()}
    kept = {file.name: file for file in FOLDER.iterdir() if file.suffix in MAX_BYTES}
    assert kept.keys() - made == {"evaluation.png", "misread.png"}  # need MNIST
    for name in made:
        if name.endswith(".svg"):
            assert _text(tmp_path / name) == _text(kept[name])
        else:
            expected, found = _levels(kept[name]), _levels(tmp_path / name)
            assert found.shape == expected.shape
            assert np.abs(found - expected).mean() < MAX_MEAN_DIFFERENCE
    for file in kept.values():
        assert file.stat().st_size < MAX_BYTES[file.suffix]


@pytest.mark.slow
def test_the_plot_of_the_evaluation(tmp_path: Path) -> None:
    for digit in range(10):
        folder = tmp_path / "digits" / str(digit)
        folder.mkdir(parents=True)
        (folder / "digit.png").symlink_to(SAMPLES / f"MNIST-{digit}.png")
    save(tmp_path / "evaluation.png", evaluation_plot(tmp_path / "digits"))
    assert _levels(tmp_path / "evaluation.png").shape == _levels(FOLDER / "evaluation.png").shape


def test_the_sheet_shows_misread_digits_only(
    digits: "np.typing.NDArray[np.uint8]", labels: "np.typing.NDArray[np.int64]"
) -> None:
    some = Digits(255 - digits[::50], labels[::50])
    right = misread_sheet(some)
    others = Digits(
        some.images, np.where(np.arange(100) < 1.5 * COLUMNS, 9 - some.labels, some.labels)
    )
    wrong = misread_sheet(others)
    kept = _levels(FOLDER / "misread.png")
    assert right.width == wrong.width == kept.shape[1]
    row_height = (wrong.height - right.height) / 2
    assert row_height > 84 and (kept.shape[0] - right.height) % row_height == 0
    red, _, blue = np.moveaxis(np.asarray(wrong, int), 2, 0)
    assert (red > 2 * blue).any()  # the wrong answers
