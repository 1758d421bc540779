"""Makes the pictures of the README and of docs/: `python -m docs.images.make --data DIR`."""

import argparse
import io
import re
import shlex
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from rich.console import Console
from rich.text import Text
from selenium.webdriver import Chrome

import mnist_cli
from docs.images.misread import misread_sheet
from docs.images.sheet import blank_sheet
from tests.browser import DrawPage, emulated, opened, running_chrome
from tests.running import MNIST, SAMPLES, run_on_terminal, run_process
from tests.serving import Server, serving
from training.data import load_test
from training.make_samples import FOUR, FOUR_DOWN, SEVEN, TWO, Points
from training.synthetic.strokes import smooth_curve

FOLDER = Path(__file__).parent
COLOURS = 128  # of the palette of a PNG file, which keeps it small
MAX_COLUMNS = 80  # of a terminal

PAGE_SIZE = (960, 672)  # CSS pixels
DRAWN_NUMBER = "247"
STROKES = ((TWO, 0.08), (FOUR, 0.38), (FOUR_DOWN, 0.38), (SEVEN, 0.7))  # with their left sides
DIGIT_WIDTH, DIGIT_TOP, DIGIT_HEIGHT = 0.22, 0.3, 0.4  # fractions of the drawing area
STROKE_POINTS = 20

SHEET_COLUMNS = 4
TILE_PX, GAP_PX = 176, 12
FONT_PX = 18
PAPER, FRAME, INK = "#ffffff", "#d0d7de", "#1f2328"

WALL_SIZE, BRICK_SIZE, JOINT_PX = (640, 360), (84, 38), 4
MORTAR, BRICK, BRICK_VARIATION = (168, 158, 146), (148, 84, 66), 14  # RGB levels
PLATE_PLACE, PLATE_DEGREES = (130, 60), 5
DARKEST_LIGHT = 0.45  # fraction of the light at the right of the wall
BLUR_PX = 0.8

PLOT_METRICS = 0.6  # upper fraction of the plot of `mnist evaluate`; the mistakes are below


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder with MNIST, for the evaluation and the misread digits"
    )
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as profile,
        running_chrome(Path(profile)) as chrome,
        serving("--quiet") as server,
    ):
        make(FOLDER, chrome, server)
    if arguments.data:
        save(FOLDER / "evaluation.png", evaluation_plot(arguments.data))
        save(FOLDER / "misread.png", misread_sheet(load_test(arguments.data)))


def make(folder: Path, chrome: Chrome, server: Server) -> None:
    """Write all pictures that need no data into a folder."""
    write_terminal(folder / "predict-show.svg", "predict --show samples/off-centre-2.png")
    write_terminal(folder / "predict-batch.svg", "predict-batch samples")
    save(folder / "samples.png", samples_with_answers())
    save(folder / "house-number.png", with_boxes(house_number_on_a_wall()))
    for scheme in ("light", "dark"):
        save(folder / f"draw-{scheme}.png", draw_page(chrome, server, scheme))


def save(file: Path, picture: Image.Image) -> None:
    """Save a picture as a small PNG file, with a palette."""
    palette = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    palette.save(file, optimize=True)


def write_terminal(file: Path, command: str) -> None:
    """Run a command of `mnist` on a terminal and write what it prints as SVG."""
    env = {"COLORTERM": "truecolor", "COLUMNS": str(MAX_COLUMNS)}
    script = f"{shlex.join(MNIST)} {command} 2> /dev/null"  # without the progress bar
    screen = run_on_terminal("-c", script, program=["bash"], env=env).rstrip("\n")
    text = Text(f"$ mnist {command}\n").append_text(Text.from_ansi(screen))
    columns = max(line.cell_len for line in text.split())
    console = Console(record=True, file=io.StringIO(), width=columns)
    console.print(text)
    svg = console.export_svg(title="mnist", unique_id=file.stem)
    # An SVG file in a page cannot load the fonts.
    file.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


def draw_page(chrome: Chrome, server: Server, scheme: str) -> Image.Image:
    """Draw a number on the page of the server, and return a screenshot."""
    origin = f"http://{server.host}:{server.port}"
    with (
        emulated(chrome, PAGE_SIZE, prefers_color_scheme=scheme, prefers_reduced_motion="reduce"),
        opened(chrome, origin, "/draw", DrawPage) as page,
    ):
        for stroke, left in STROKES:
            page.draw(drawn_points(stroke, left))
        page.await_number(DRAWN_NUMBER)
        return Image.open(io.BytesIO(chrome.get_screenshot_as_png()))


def drawn_points(stroke: Points, left: float) -> list[tuple[float, float]]:
    """Return the points of a smooth stroke in the drawing area, (0, 0) to (1, 1)."""
    curve = smooth_curve(np.array(stroke))
    chosen = curve[np.linspace(0, len(curve) - 1, STROKE_POINTS).astype(int)]
    return [(left + DIGIT_WIDTH * x, DIGIT_TOP + DIGIT_HEIGHT * y) for x, y in chosen]


def samples_with_answers() -> Image.Image:
    """Return a sheet of samples, each with its answer below it."""
    drawn = sorted(file for file in SAMPLES.glob("*.png") if not file.stem.startswith("MNIST"))
    files = [SAMPLES / "MNIST-8.png", SAMPLES / "MNIST-6.png", *drawn]
    model = mnist_cli.load_model()
    tile_size = TILE_PX, TILE_PX + 2 * FONT_PX
    sheet, places = blank_sheet(len(files), SHEET_COLUMNS, tile_size, GAP_PX, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_PX)
    for file, (x, y) in zip(files, places, strict=True):
        with Image.open(file) as picture:
            tile = ImageOps.pad(picture.convert("RGBA"), (TILE_PX, TILE_PX), color=(0, 0, 0, 0))
        sheet.paste(tile, (x, y), tile)
        draw.rectangle((x, y, x + TILE_PX, y + TILE_PX), outline=FRAME)
        number = model.read_number(file)
        answer = f"{number.text}   {number.probability:.2f} %"
        draw.text((x + TILE_PX / 2, y + TILE_PX + FONT_PX), answer, INK, font, anchor="mm")
    return sheet


def house_number_on_a_wall() -> Image.Image:
    """Draw the sample of a house number as in a photograph: tilted, on bricks, in a shadow."""
    random = np.random.default_rng(0)
    wall = Image.new("RGB", WALL_SIZE, MORTAR)
    draw = ImageDraw.Draw(wall)
    for row, top in enumerate(range(0, WALL_SIZE[1], BRICK_SIZE[1])):
        for left in range(-(row % 2) * BRICK_SIZE[0] // 2, WALL_SIZE[0], BRICK_SIZE[0]):
            level = int(random.integers(-BRICK_VARIATION, BRICK_VARIATION + 1))
            right, bottom = left + BRICK_SIZE[0] - JOINT_PX, top + BRICK_SIZE[1] - JOINT_PX
            draw.rectangle((left, top, right, bottom), tuple(part + level for part in BRICK))
    with Image.open(SAMPLES / "house-number-407.png") as picture:
        plate = picture.convert("RGBA").rotate(PLATE_DEGREES, Image.Resampling.BICUBIC, expand=True)
    wall.paste(plate, PLATE_PLACE, plate)
    light = np.linspace(1, DARKEST_LIGHT, WALL_SIZE[0])[None, :, None]
    lit = Image.fromarray((np.asarray(wall) * light).astype(np.uint8))
    return lit.filter(ImageFilter.GaussianBlur(BLUR_PX))


def with_boxes(picture: Image.Image) -> Image.Image:
    """Return the picture that `mnist predict-batch --multi --annotate` writes."""
    with tempfile.TemporaryDirectory() as folder:
        source, annotated = Path(folder) / "source.png", Path(folder) / "annotated"
        picture.save(source)
        assert run_process("predict-batch", source, "--multi", "--annotate", annotated).code == 0
        with Image.open(annotated / "source.png.png") as image:
            return image.copy()


def evaluation_plot(data: Path) -> Image.Image:
    """Return the confusion matrix and the reliability diagram of `mnist evaluate --plot`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plot.png"
        options = ("--data", data.name, "--plot", file)
        assert run_process("evaluate", *options, cwd=data.absolute().parent).code == 0
        with Image.open(file) as plot:
            return plot.crop((0, 0, plot.width, round(PLOT_METRICS * plot.height)))


if __name__ == "__main__":
    main()
