"""The page `/draw`, in a real Chromium."""

import base64
import itertools
import json
import math
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService, Keys
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.running import SAMPLES
from tests.serving import Server, serving

FLAGS = [
    "--headless",
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
]

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


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        reason = "no chromium and chromedriver: apt-get install chromium chromium-driver"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    options = ChromeOptions()
    # With both paths Selenium does not download a browser or driver.
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("chromium")
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with Chrome(options, ChromeService(driver)) as chrome:
        yield chrome


def _log(chrome: Chrome, name: str) -> list[dict[str, str]]:
    return chrome.get_log(name)  # type: ignore[no-any-return, no-untyped-call]


class Page:
    """The page in a browser."""

    def __init__(self, chrome: Chrome, address: str) -> None:
        self.chrome = chrome
        chrome.get(address)
        # Chromedriver may return before the scripts of the page have run.
        self.wait_for("return document.readyState === 'complete'")

    def __getitem__(self, id: str) -> WebElement:
        return self.chrome.find_element(By.ID, id)

    def wait_for(self, script: str) -> None:
        WebDriverWait(self.chrome, 20).until(lambda chrome: chrome.execute_script(script), script)

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

    def await_text(self, id: str, text: str) -> None:
        def has_come(_: Chrome) -> bool:
            shown = self[id].get_property("textContent")
            assert isinstance(shown, str)
            return shown.startswith(text) if text else not shown

        WebDriverWait(self.chrome, 20).until(has_come, f"{id} is not {text!r}")

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

    def events(self, name: str) -> list[dict[str, str]]:
        """The requests in the new events of that name."""
        entries = [json.loads(entry["message"]) for entry in _log(self.chrome, "performance")]
        return [
            entry["message"]["params"]["request"]
            for entry in entries
            if entry["message"]["method"] == name
        ]


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Iterator[Page]:
    chrome.get("about:blank")
    for log in ("browser", "performance"):
        _log(chrome, log)  # discards the entries of other tests
    origin = f"http://{server.host}:{server.port}"
    page = Page(chrome, f"{origin}/digits/draw")
    yield page
    requests = page.events("Network.requestWillBeSent")
    assert requests
    assert {
        request["url"] for request in requests if not request["url"].startswith(origin)
    } == set()
    # Chromium logs a 400, which the page shows as a message.
    problems = [entry for entry in _log(chrome, "browser") if entry["level"] == "SEVERE"]
    assert [problem for problem in problems if "status of 400" not in problem["message"]] == []


def test_a_one_and_a_zero_are_read(page: Page) -> None:
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
def test_a_finger_and_a_pen_draw_too(page: Page, kind: str) -> None:
    page.chrome.execute_script("pad.addEventListener('pointerup', e => self.kind = e.pointerType)")
    page.draw(ZERO, kind)
    page.await_answer("0")
    assert page.chrome.execute_script("return self.kind") == kind
    scrolled = page.chrome.execute_script("return [scrollX, scrollY]")
    assert scrolled == [0, 0]


def test_a_scribble_is_uncertain(page: Page) -> None:
    page.draw([((37 * step % 70 + 15) / 100, (61 * step % 70 + 15) / 100) for step in range(24)])
    page.wait_for("return document.getElementById('certainty').textContent.includes('may not be')")


def test_undo_takes_back_a_stroke(page: Page) -> None:
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


def test_another_model_answers(page: Page) -> None:
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


def test_a_picture_is_chosen(page: Page) -> None:
    page["file"].send_keys(str(SAMPLES / "MNIST-7.png"))
    page.await_answer("7")
    page["undo"].click()
    page.await_answer("")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Page, event: str) -> None:
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


def test_a_file_that_is_not_a_picture_shows_an_error(page: Page) -> None:
    page.chrome.execute_script(HAND_OVER, "drop", _base64(Path(__file__)), "text/x-python")
    page.await_text("hint", "Not a picture")
    page["clear"].click()
    page.await_text("hint", "")


def test_the_keyboard_reaches_all_controls(page: Page) -> None:
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


def test_one_request_at_a_time(page: Page) -> None:
    page.draw(ZERO)
    page.await_answer("0")
    times: list[list[float]] = page.chrome.execute_script(
        "return performance.getEntriesByType('resource').filter(({name}) =>"
        " name.includes('/predict')).map((entry) => [entry.startTime, entry.responseEnd])"
    )
    assert times
    for (_, end), (start, _) in itertools.pairwise(times):
        assert start >= end


def test_the_page_fits_a_phone(page: Page) -> None:
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
        page = Page(chrome, f"http://{server.host}:{server.port}/draw")
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
    assert server.ask("GET", "/digits/draw/draw.html").status == 404
    assert server.ask("GET", "/digits/draw/../draw.py").status == 404


def test_the_api_returns_what_the_model_sees(server: Server) -> None:
    pixels = (SAMPLES / "off-centre-2.png").read_bytes()
    answer = server.ask("POST", "/digits/predict?image=1", pixels, Content_Type="image/png").json
    assert [len(row) for row in answer["image"]] == [28] * 28
    assert (min(map(min, answer["image"])), max(map(max, answer["image"]))) == (0, 255)
    body = {"picArray": answer["image"]}
    same = server.ask("POST", "/digits/predict?image=1&preprocess=plain", json_body=body).json
    assert same == {**answer, "box": [0, 0, 28, 28]}
    assert "image" not in server.ask("POST", "/digits/predict", json_body=body).json
