"""The page `/draw`, in a real Chromium."""

import base64
import itertools
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser import Page, opened
from tests.running import SAMPLES
from tests.serving import Server, serving

Points = list[tuple[float, float]]

ONE: Points = [(0.5, 0.2), (0.5, 0.8)]
ZERO: Points = [
    (0.5 + 0.2 * math.sin(turn * math.tau / 24), 0.5 - 0.3 * math.cos(turn * math.tau / 24))
    for turn in range(25)
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--url-prefix", "/digits") as server:
        # Nobody reads its log, which must not fill the pipe.
        drain = threading.Thread(target=server.process.stderr.read, daemon=True)  # type: ignore[union-attr]
        drain.start()
        yield server


class DrawPage(Page):
    """The page in a browser."""

    def draw(self, points: Points, kind: str = interaction.POINTER_MOUSE) -> None:
        pad = self["pad"]
        device = PointerInput(kind, kind)  # type: ignore[no-untyped-call]
        builder: Any = ActionBuilder(self.chrome, device, duration=10)
        pointer, size = builder.pointer_action, pad.size
        for index, (x, y) in enumerate(points):
            pointer.move_to(
                pad, round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"])
            )
            if index == 0:
                pointer.pointer_down()
        pointer.pointer_up()
        builder.perform()

    def await_answer(self, digit: str) -> None:
        """Wait until the page shows the digit and announces it to screen readers."""
        self.await_text("digit", digit)
        self.await_text("spoken", digit and f"{digit}, ")

    @property
    def scores(self) -> list[float]:
        spans = self.chrome.find_elements(By.CSS_SELECTOR, "#scores span")
        return [float(span.text.removesuffix(" %")) for span in spans if span.text]

    @property
    def inked(self) -> int:
        """How many of the 784 pixels that the model sees are ink."""
        count: int = self.chrome.execute_script(
            "return document.getElementById('seen').getContext('2d').getImageData(0, 0, 28, 28)"
            ".data.filter((value, index) => index % 4 === 0 && value < 128).length"
        )
        return count


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Iterator[DrawPage]:
    with opened(chrome, f"http://{server.host}:{server.port}", "/digits/draw", DrawPage) as page:
        yield page


def test_a_one_and_a_zero_are_read(page: DrawPage) -> None:
    assert not page["digit"].text
    page.draw(ONE)
    page.await_answer("1")
    assert page.scores[1] > 90
    assert sum(page.scores) == pytest.approx(100, abs=1)
    assert 20 < page.inked < 200
    page["clear"].click()
    page.await_answer("")
    assert (page.inked, page.scores) == (0, [])
    page.draw(ZERO)
    page.await_answer("0")
    assert page.scores[0] > 90


@pytest.mark.parametrize("kind", [interaction.POINTER_TOUCH, interaction.POINTER_PEN])
def test_a_finger_and_a_pen_draw_too(page: DrawPage, kind: str) -> None:
    page.chrome.execute_script("pad.addEventListener('pointerup', e => self.kind = e.pointerType)")
    page.draw(ZERO, kind)
    page.await_answer("0")
    assert page.chrome.execute_script("return self.kind") == kind
    scrolled = page.chrome.execute_script("return [scrollX, scrollY]")
    assert scrolled == [0, 0]


def test_a_scribble_is_uncertain(page: DrawPage) -> None:
    page.draw([((37 * step % 70 + 15) / 100, (61 * step % 70 + 15) / 100) for step in range(24)])
    page.wait_for("return document.getElementById('certainty').textContent.includes('may not be')")


def test_undo_takes_back_a_stroke(page: DrawPage) -> None:
    assert not page["undo"].is_enabled()
    page.draw(ONE)
    page.await_answer("1")
    inked = page.inked
    page.draw([(0.1, 0.8), (0.9, 0.8)])
    WebDriverWait(page.chrome, 20).until(lambda _: page.inked != inked)
    page["undo"].click()
    WebDriverWait(page.chrome, 20).until(lambda _: page.inked == inked)
    page.await_answer("1")
    ActionChains(page.chrome).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    page.await_answer("")
    assert not page["undo"].is_enabled()


def test_another_model_answers(page: DrawPage) -> None:
    select = Select(page["model"])
    names = [option.text for option in select.options]
    assert {"t_cnn", "t_ffnn"} <= set(names)
    assert select.first_selected_option.text == "k_cnn"
    page.draw(ONE)
    page.await_answer("1")
    select.select_by_visible_text("t_ffnn")
    page.wait_for(
        "return performance.getEntriesByType('resource').at(-1).name.includes('model=t_ffnn')"
    )
    page.await_answer("1")


def test_a_picture_is_chosen(page: DrawPage) -> None:
    page["file"].send_keys(str(SAMPLES / "MNIST-7.png"))
    page.await_answer("7")
    page["undo"].click()
    page.await_answer("")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: DrawPage, event: str) -> None:
    page.chrome.execute_script(HAND_OVER, event, _base64(SAMPLES / "off-centre-2.png"), "image/png")
    page.await_answer("2")
    # Strokes on top of a picture are part of it.
    before = page.inked
    page.draw([(0.05, 0.05), (0.95, 0.05)])
    WebDriverWait(page.chrome, 20).until(lambda _: page.inked != before)


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


def test_a_file_that_is_not_a_picture_shows_an_error(page: DrawPage) -> None:
    page.chrome.execute_script(HAND_OVER, "drop", _base64(Path(__file__)), "text/x-python")
    page.await_text("hint", "Not a picture")
    page["clear"].click()
    page.await_text("hint", "")


def test_the_keyboard_reaches_all_controls(page: DrawPage) -> None:
    page.draw(ONE)
    page.await_answer("1")
    for expected in ("undo", "clear", "choose"):
        ActionChains(page.chrome).send_keys(Keys.TAB).perform()
        focused = page.chrome.switch_to.active_element
        assert focused.get_attribute("id") == expected
        assert focused.value_of_css_property("outline-style") == "solid"
    ActionChains(page.chrome).key_down(Keys.SHIFT).send_keys(Keys.TAB).perform()
    ActionChains(page.chrome).key_up(Keys.SHIFT).send_keys(Keys.ENTER).perform()
    page.await_answer("")


def test_one_request_at_a_time(page: DrawPage) -> None:
    page.draw(ZERO)
    page.await_answer("0")
    times: list[list[float]] = page.chrome.execute_script(
        "return performance.getEntriesByType('resource').filter(({name}) =>"
        " name.includes('/predict')).map((entry) => [entry.startTime, entry.responseEnd])"
    )
    assert times
    for (_, end), (start, _) in itertools.pairwise(times):
        assert start >= end


def test_the_page_fits_a_phone(page: DrawPage) -> None:
    page.chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        page.draw(ONE)
        page.await_answer("1")
        assert page.chrome.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        page.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_token_is_requested_once(chrome: Chrome) -> None:
    with serving(env={"MNIST_TOKEN": "secret"}) as server:
        assert server.ask("POST", "/predict").status == 401
        page = DrawPage(chrome, f"http://{server.host}:{server.port}/draw")
        for token in ("wrong", "secret"):
            if token == "wrong":
                page.draw(ONE)
            WebDriverWait(chrome, 20).until(lambda _: page["token"].is_displayed())
            page["token"].send_keys(token, Keys.ENTER)
            _await_stored_token(chrome, token)
        page.await_answer("1")
        chrome.refresh()
        page.draw(ONE)
        page.await_answer("1")
        assert not page["token"].is_displayed()


def _await_stored_token(chrome: Chrome, token: str) -> None:
    stored = "return sessionStorage.getItem('mnist-token')"
    WebDriverWait(chrome, 20).until(lambda browser: browser.execute_script(stored) == token)


def test_the_page_is_locked_down(server: Server) -> None:
    answer = server.ask("GET", "/digits/draw")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert server.ask("GET", "/digits/static/draw.html").status == 404
    assert server.ask("GET", "/digits/static/../draw.py").status == 404


def test_the_api_returns_what_the_model_sees(server: Server) -> None:
    pixels = (SAMPLES / "off-centre-2.png").read_bytes()
    answer = server.ask("POST", "/digits/predict?image=1", pixels, Content_Type="image/png").json
    assert [len(row) for row in answer["image"]] == [28] * 28
    assert (min(map(min, answer["image"])), max(map(max, answer["image"]))) == (0, 255)
    body = {"picArray": answer["image"]}
    same = server.ask("POST", "/digits/predict?image=1&preprocess=plain", json_body=body).json
    assert same == {**answer, "box": [0, 0, 28, 28]}
    assert "image" not in server.ask("POST", "/digits/predict", json_body=body).json
