"""Drawing on the page `/draw`, in a real Chromium."""

import base64
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder

from tests.browser import DrawPage, Points, opened
from tests.running import SAMPLES
from tests.serving import Server, serving

ONE: Points = [(0.5, 0.2), (0.5, 0.8)]
ZERO: Points = [
    (0.5 + 0.2 * math.sin(turn * math.tau / 24), 0.5 - 0.3 * math.cos(turn * math.tau / 24))
    for turn in range(25)
]
SEVEN: Points = [(0.55, 0.3), (0.85, 0.3), (0.65, 0.75)]
LEFT_ONE: Points = [(0.25, 0.3), (0.25, 0.75)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--quiet", "--url-prefix", "/digits") as server:
        yield server


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Iterator[DrawPage]:
    with opened(chrome, f"http://{server.host}:{server.port}", "/digits/draw", DrawPage) as page:
        yield page


def test_a_one_and_a_zero_are_read(page: DrawPage) -> None:
    assert not page["number"].text
    page.draw(ONE)
    page.await_number("1")
    assert page.scores[1] > 90
    assert sum(page.scores) == pytest.approx(100, abs=1)
    page["clear"].click()
    page.await_number("")
    assert (page.ink, page.scores, page.boxes) == (0, [], [])
    page.draw(ZERO)
    page.await_number("0")
    assert page.scores[0] > 90


def test_several_digits_are_read_and_boxed(page: DrawPage) -> None:
    page.draw(LEFT_ONE)
    page.draw(SEVEN)
    page.await_number("17")
    assert page["certainty"].text.endswith(" % sure")
    one, seven = page.boxes
    for box, points in ((one, LEFT_ONE), (seven, SEVEN)):
        xs, ys = zip(*points, strict=True)
        assert box == pytest.approx((min(xs), min(ys), max(xs), max(ys)), abs=0.06)
    # The scores are those of the digit that is chosen.
    assert page.scores[1] > 90
    first, second = page.all("#digits button")
    second.click()
    assert page.scores[7] > 90
    assert (first.get_attribute("aria-pressed"), second.get_attribute("aria-pressed")) == (
        "false",
        "true",
    )


@pytest.mark.parametrize("kind", [interaction.POINTER_TOUCH, interaction.POINTER_PEN])
def test_a_finger_and_a_pen_draw_too(page: DrawPage, kind: str) -> None:
    page.run("pad.addEventListener('pointerup', e => self.kind = e.pointerType)")
    page.draw(ZERO, kind)
    page.await_number("0")
    assert page.run("return self.kind") == kind
    assert page.run("return [scrollX, scrollY]") == [0, 0]


def test_the_keyboard_draws(page: DrawPage) -> None:
    page.press(Keys.TAB)  # leaves the address bar
    page.run("document.getElementById('pad').focus()")
    page.press(" ")
    page.await_text("spoken", "Pen down")
    for _ in range(22):
        page.press(Keys.ARROW_DOWN)
    page.press(" ")
    page.await_number("1")
    page.press(Keys.ARROW_RIGHT)  # the pen is lifted
    ink = page.ink
    page.press(Keys.ARROW_RIGHT)
    assert page.ink == ink


def test_a_scribble_is_a_question_mark(page: DrawPage) -> None:
    page.draw([((37 * step % 70 + 15) / 100, (61 * step % 70 + 15) / 100) for step in range(24)])
    page.await_number("?")
    assert page["certainty"].text.startswith("Uncertain: perhaps ")


def test_the_beginning_of_a_stroke_is_no_error(page: DrawPage) -> None:
    mouse = ActionBuilder(page.chrome, duration=0)
    mouse.pointer_action.move_to(page["pad"], 0, -100).pointer_down()  # type: ignore[no-untyped-call]
    mouse.perform()
    answered = (
        "return performance.getEntriesByType('resource').some(({name, responseEnd}) =>"
        " name.includes('/predict') && responseEnd)"
    )
    page.wait_for(answered)
    page.wait_for("return new Promise((shown) => setTimeout(() => shown(true), 100))")
    assert (page["hint"].text, page["certainty"].text) == ("", "")
    mouse.clear_actions()  # releases the button
    page.await_text("spoken", "No digit found")
    assert page["hint"].text == ""


def test_undo_and_redo(page: DrawPage) -> None:
    states = [0]
    for points in (ONE, [(0.1, 0.8), (0.9, 0.8)]):
        page.draw(points)
        states.append(page.ink)
    page["clear"].click()
    states.append(page.ink)
    assert states[0] == states[3] < states[1] < states[2]
    for expected in (states[2], states[1]):
        page["undo"].click()
        assert page.ink == expected
    page.await_number("1")
    page.press(Keys.CONTROL, "z")
    page.await_number("")
    assert not page["undo"].is_enabled()
    page["redo"].click()
    assert page.ink == states[1]
    page.press(Keys.CONTROL, Keys.SHIFT, "z")
    assert page.ink == states[2]
    page.press(Keys.CONTROL, "y")
    assert (page.ink, page["redo"].is_enabled()) == (0, False)
    page["undo"].click()
    page.draw([(0.1, 0.1), (0.2, 0.1)])  # there is nothing to redo after a change
    assert not page["redo"].is_enabled()


def test_the_eraser_and_the_pen_width(page: DrawPage) -> None:
    page.draw(ONE)
    thin = page.ink
    page["undo"].click()
    page.run("document.getElementById('width').value = 8")
    page.draw(ONE)
    thick = page.ink
    assert 1.5 * thin < thick < 3 * thin
    page["eraser"].click()
    page.draw([(0.5, 0.5), (0.5, 0.9)])
    assert page.ink < 0.7 * thick
    page["eraser"].click()
    page.draw([(0.5, 0.5), (0.5, 0.8)])
    assert page.ink == pytest.approx(thick, rel=0.02)


def test_a_picture_is_chosen(page: DrawPage, server: Server) -> None:
    page["file"].send_keys(str(SAMPLES / "house-number-407.png"))
    page.await_number("407")
    # The picture of 360x220 pixels is centred.
    picture = (SAMPLES / "house-number-407.png").read_bytes()
    answer = server.ask("POST", "/digits/predict?multi=1", picture, Content_Type="image/png").json
    for found, digit in zip(page.boxes, answer["digits"], strict=True):
        left, top, width, height = digit["box"]
        expected = (left, top + 70, left + width, top + 70 + height)
        assert found == pytest.approx([edge / 360 for edge in expected], abs=0.005)
    page["undo"].click()
    page.await_number("")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: DrawPage, event: str) -> None:
    page.run(HAND_OVER, event, _base64(SAMPLES / "off-centre-2.png"), "image/png")
    page.await_number("2")
    # Strokes on top of a picture are part of it.
    before = page.ink
    page.draw([(0.6, 0.54), (0.6, 0.73)])
    assert page.ink > before
    page.await_number("12")


# Simulates dropping or pasting a file, which WebDriver does not support.
HAND_OVER = """
const [kind, content, type] = arguments;
const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], "file", { type }));
const options = { bubbles: true, cancelable: true };
document.body.dispatchEvent(kind === "drop"
  ? new DragEvent("drop", { ...options, dataTransfer: transfer })
  : new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
"""


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def test_undo_restores_the_drawing_after_a_wrong_file(page: DrawPage) -> None:
    page.draw(ONE)
    page.await_number("1")
    ink = page.ink
    page.run(HAND_OVER, "drop", _base64(Path(__file__)), "text/x-python")
    page.await_text("hint", "Not a picture")
    page["undo"].click()
    page.await_number("1")
    assert (page.ink, page["hint"].text) == (ink, "")
    page["redo"].click()
    page.await_text("hint", "Not a picture")
    page["clear"].click()
    page.await_text("hint", "")


def test_one_request_at_a_time(page: DrawPage) -> None:
    page.draw(ZERO)
    page.await_number("0")
    times: list[list[float]] = page.run(
        "return performance.getEntriesByType('resource').filter(({name}) =>"
        " name.includes('/predict')).map((entry) => [entry.startTime, entry.responseEnd])"
    )
    assert len(times) > 1
    for (_, end), (start, _) in itertools.pairwise(times):
        assert start >= end


def test_the_page_is_locked_down(server: Server) -> None:
    answer = server.ask("GET", "/digits/draw")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for path in ("static/draw.html", "static/../pages.py", "draw/samples/README.md"):
        assert server.ask("GET", f"/digits/{path}").status == 404


def test_the_api_returns_what_the_model_sees(server: Server) -> None:
    pixels = (SAMPLES / "off-centre-2.png").read_bytes()
    answer = server.ask("POST", "/digits/predict?image=1", pixels, Content_Type="image/png").json
    assert [len(row) for row in answer["image"]] == [28] * 28
    assert (min(map(min, answer["image"])), max(map(max, answer["image"]))) == (0, 255)
    body = {"picArray": answer["image"]}
    same = server.ask("POST", "/digits/predict?image=1&preprocess=plain", json_body=body).json
    assert same == {**answer, "box": [0, 0, 28, 28]}
    assert "image" not in server.ask("POST", "/digits/predict", json_body=body).json
