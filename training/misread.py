"""Draws the misread test images: `python -m training.misread [--data DIR]`."""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_cli.loader import load_model
from mnist_cli.reshape import to_model_input
from training.data import load_test
from training.runs import SAVED_MODELS

MODELS = ("t_cnn", "e_cnn", "k_cnn")
SHEET = SAVED_MODELS.parent / "docs" / "images" / "misread.png"
COLUMNS = 10
SCALE = 3
"""Pixels of the sheet per pixel of an image."""
CAPTION_PX, GAP_PX = 18, 8
BACKGROUND, RIGHT, WRONG = "white", "black", "firebrick"


def draw_misread(data: Path | None) -> None:
    """Write `docs/images/misread.png`: test images that a published CNN misreads, the worst first.

    Below each image is its label, and then the answers of the three CNNs. How many of them misread
    how many images is printed.
    """
    test = load_test(data)
    batch = to_model_input(255 - test.images)
    answers = np.stack(
        [load_model(str(SAVED_MODELS / name)).predict_proba(batch).argmax(1) for name in MODELS]
    )
    wrong = (answers != test.labels).sum(axis=0)
    indices = np.flatnonzero(wrong)
    indices = indices[np.lexsort([indices, test.labels[indices], -wrong[indices]])]
    side = SCALE * test.images.shape[1]
    width, height = side + GAP_PX, side + CAPTION_PX + GAP_PX
    rows = -(-len(indices) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION_PX - 4)
    for place, index in enumerate(indices):
        row, column = divmod(place, COLUMNS)
        x, y = GAP_PX + column * width, GAP_PX + row * height
        image = Image.fromarray(255 - test.images[index])
        sheet.paste(image.resize((side, side), Image.Resampling.NEAREST), (x, y))
        label = test.labels[index]
        words = [(f"{label}: ", RIGHT)]
        words += [
            (f"{answer} ", RIGHT if answer == label else WRONG) for answer in answers[:, index]
        ]
        for text, colour in words:
            draw.text((x, y + side), text, colour, font)
            x += round(draw.textlength(text, font))
    sheet.save(SHEET)
    for count, images in sorted(Counter(wrong[indices].tolist()).items(), reverse=True):
        print(f"misread by {count} of {', '.join(MODELS)}: {images}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the test images that the CNNs misread.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the files of MNIST")
    draw_misread(parser.parse_args().data)
