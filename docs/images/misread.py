"""Draws the images that the CNNs misread."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docs.images.sheet import blank_sheet
from mnist_cli.loader import load_model
from mnist_cli.reshape import to_model_input
from training.data import Digits

MODELS = ("t_cnn", "e_cnn", "k_cnn")
COLUMNS = 10
TILE_PX, CAPTION_PX, GAP_PX = 84, 18, 8
FONT_PX = 14
PAPER, RIGHT, WRONG = "white", "black", "firebrick"


def misread_sheet(digits: Digits) -> Image.Image:
    """Return a sheet of the images that a CNN misreads; those that all misread come first.

    Below each image are its label and the answers of the three CNNs.
    """
    batch = to_model_input(255 - digits.images)
    answers = np.array([load_model(name).predict_proba(batch).argmax(axis=1) for name in MODELS])
    misread_by = (answers != digits.labels).sum(axis=0)
    order = np.lexsort([digits.labels, -misread_by])[: np.count_nonzero(misread_by)]
    tile_size = TILE_PX, TILE_PX + CAPTION_PX
    sheet, places = blank_sheet(len(order), COLUMNS, tile_size, GAP_PX, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_PX)
    for index, (x, y) in zip(order, places, strict=True):
        tile = Image.fromarray(255 - digits.images[index])
        sheet.paste(tile.resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST), (x, y))
        label = digits.labels[index]
        caption = [(f"{label}: ", RIGHT)]
        caption += [(f"{one} ", RIGHT if one == label else WRONG) for one in answers[:, index]]
        for text, colour in caption:
            draw.text((x, y + TILE_PX), text, colour, font)
            x += round(draw.textlength(text, font))
    return sheet
