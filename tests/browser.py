"""Drives a real Chromium, for the tests of the pages."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

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
    # Tests do not inherit the settings of other tests.
    page.run("localStorage.clear(); sessionStorage.clear()")
    yield page
    urls = page.requested_urls()
    assert urls
    assert [url for url in urls if not url.startswith((origin, "data:", "blob:"))] == []
    # Chromium logs a 400, which the page shows as a message.
    problems = [entry for entry in read_log(chrome, "browser") if entry["level"] == "SEVERE"]
    assert [problem for problem in problems if "status of 400" not in problem["message"]] == []
