"""Drives a real Chromium, for the tests of the pages."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

Points = list[tuple[float, float]]

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


@contextlib.contextmanager
def running_chrome(profile: Path) -> Iterator[Chrome]:
    """Run a headless Chromium with its logs enabled."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        reason = "no chromium and chromedriver: apt-get install chromium chromium-driver"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    options = ChromeOptions()
    # With both paths Selenium does not download a browser or driver.
    options.binary_location = chromium
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with Chrome(options, ChromeService(driver)) as chrome:
        yield chrome


def read_log(chrome: Chrome, name: str) -> list[dict[str, str]]:
    """Return the new entries of a log."""
    return chrome.get_log(name)  # type: ignore[no-any-return, no-untyped-call]


class Page:
    """A page in a browser."""

    def __init__(self, chrome: Chrome, address: str) -> None:
        self.chrome = chrome
        chrome.get(address)
        # Chromedriver may return before the scripts of the page have run.
        self.wait_for("return document.readyState === 'complete'")

    def __getitem__(self, id: str) -> WebElement:
        return self.chrome.find_element(By.ID, id)

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements that match a CSS selector."""
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script and return its result."""
        return self.chrome.execute_script(script, *arguments)

    def wait_for(self, script: str, *arguments: Any) -> None:
        """Wait until a script returns a true value."""
        WebDriverWait(self.chrome, 20).until(lambda _: self.run(script, *arguments), script)

    def await_text(self, id: str, text: str) -> None:
        """Wait until the text of an element starts with `text`, or is empty if `text` is."""
        self.wait_for(
            "const [id, text] = arguments, shown = document.getElementById(id).textContent;"
            "return text ? shown.startsWith(text) : !shown",
            id,
            text,
        )

    def requested_urls(self) -> list[str]:
        """Return the URLs of all requests since the last call."""
        entries = [json.loads(entry["message"]) for entry in read_log(self.chrome, "performance")]
        return [
            entry["message"]["params"]["request"]["url"]
            for entry in entries
            if entry["message"]["method"] == "Network.requestWillBeSent"
        ]

    def violations(self) -> list[str]:
        """Return the violations of accessibility rules that axe-core finds."""
        script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
        self.run(script)
        found = self.chrome.execute_async_script(
            "axe.run({ resultTypes: ['violations'] }).then(arguments[0])"
        )
        return [
            f"{violation['id']}: {node['html']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]


class DrawPage(Page):
    """The page for drawing."""

    def draw(self, points: Points, kind: str = interaction.POINTER_MOUSE) -> None:
        """Draw a stroke through points from (0, 0), the top left, to (1, 1)."""
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

    def press(self, *keys: str) -> None:
        """Press a key while the ones before it are held down."""
        actions = ActionChains(self.chrome)
        for key in keys[:-1]:
            actions.key_down(key)
        actions.send_keys(keys[-1])
        for key in reversed(keys[:-1]):
            actions.key_up(key)
        actions.perform()

    def await_number(self, number: str) -> None:
        """Wait until the page shows a number and announces it to screen readers."""
        self.await_text("number", number)
        self.await_text("spoken", number and f"{number}, ")

    def open_dialog(self, id: str) -> None:
        """Press the button of a dialog, and wait until it is open."""
        self[id].click()
        self.wait_for("return document.querySelector('dialog[open]')")

    def choose_sample(self, name: str) -> None:
        self.open_dialog("samples")
        [picture] = self.all(f"img[src$='/{name}']")
        picture.click()

    @property
    def scores(self) -> list[float]:
        """The probabilities that are shown, in percent."""
        return [
            float(span.text.removesuffix(" %")) for span in self.all("#scores span:not(:empty)")
        ]

    @property
    def ink(self) -> int:
        """The number of dark pixels on the pad, after it is painted."""
        count: int = self.chrome.execute_async_script(
            "requestAnimationFrame(() => setTimeout(() => { const {width, height} = pad;"
            "arguments[0](pad.getContext('2d').getImageData(0, 0, width, height)"
            ".data.filter((value, index) => index % 4 === 0 && value < 128).length) }))"
        )
        return count

    @property
    def boxes(self) -> list[tuple[float, float, float, float]]:
        """The bounding boxes on the pad: left, top, right and bottom edge from 0 to 1."""
        found: list[tuple[float, float, float, float]] = self.run(
            "const {left, top, width, height} = pad.getBoundingClientRect();"
            "return [...boxes.children].map((box) => box.getBoundingClientRect()).map((box) =>"
            "[(box.left - left) / width, (box.top - top) / height,"
            " (box.right - left) / width, (box.bottom - top) / height])"
        )
        return found


AnyPage = TypeVar("AnyPage", bound=Page)


@contextlib.contextmanager
def emulated(chrome: Chrome, size: Sequence[int], **media: str) -> Iterator[None]:
    """Emulate a screen, for example `emulated(chrome, (390, 844), prefers_color_scheme="dark")`."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    features = [{"name": name.replace("_", "-"), "value": text} for name, text in media.items()]
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        yield
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@contextlib.contextmanager
def opened(chrome: Chrome, origin: str, path: str, kind: type[AnyPage]) -> Iterator[AnyPage]:
    """Open a page; afterwards check that it loaded nothing from elsewhere and logged no error."""
    chrome.get("about:blank")
    for log in ("browser", "performance"):
        read_log(chrome, log)  # discards the entries of other tests
    page = kind(chrome, origin + path)
    try:
        yield page
    finally:  # the next test must not inherit the settings of this one
        page.run("localStorage.clear(); sessionStorage.clear()")
    urls = page.requested_urls()
    assert urls
    assert [url for url in urls if not url.startswith(origin)] == []
    # Chromium logs a 400 and a 401, which the pages show.
    problems = [entry for entry in read_log(chrome, "browser") if entry["level"] == "SEVERE"]
    assert [each for each in problems if not re.search("status of 40[01]", each["message"])] == []
