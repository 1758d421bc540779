"""The page `/docs`, in a real Chromium."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser import Page, emulated, opened
from tests.running import SAMPLES
from tests.serving import Server, serving

TOKEN = "secret"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server behind a proxy, with a token."""
    with serving("--quiet", "--url-prefix", "/digits", env={"MNIST_TOKEN": TOKEN}) as server:
        yield server


@pytest.fixture
def page(chrome: Chrome, guarded: Server) -> Iterator[Page]:
    with opened(chrome, f"http://{guarded.host}:{guarded.port}", "/digits/docs", Page) as page:
        yield page


def _unfold(page: Page, id: str) -> None:
    page.run("location.hash = arguments[0]", id)
    page.wait_for("return document.getElementById(arguments[0]).open", id)


def _try(page: Page, button: WebElement) -> list[str]:
    """Press a button, and return the status line and the body of the response."""
    button.click()
    answer = "arguments[0].closest('.example').querySelector('.answer')"
    page.wait_for(f"return !{answer}.hidden && !arguments[0].disabled", button)
    text: str = page.run(f"return {answer}.textContent", button)
    return text.split("\n", 1)


def test_the_page_starts_with_sending_a_picture(page: Page) -> None:
    assert page.all("h2")[0].text == "Send a picture"
    assert page.all("details[open]") == []


def test_all_operations_that_succeed_can_be_tried(page: Page) -> None:
    page["token"].send_keys(TOKEN)
    page.run("document.querySelectorAll('details').forEach((each) => each.open = true)")
    buttons = page.all("[data-path]")
    assert len(buttons) > 20
    predictions = 0
    for button in buttons:
        status, body = _try(page, button)
        assert status.startswith("200"), button.get_attribute("data-path")
        if str(button.get_attribute("data-path")) == "./predict":
            predictions += '"prediction": 7' in body
    assert predictions == 4


def test_a_chosen_picture_is_sent(page: Page) -> None:
    first = page.all("[data-path]")[0]
    assert _try(page, first)[0].startswith("401")
    page["token"].send_keys(TOKEN)
    page["picture"].send_keys(str(SAMPLES / "colour-4.png"))
    status, body = _try(page, first)
    assert status.startswith("200") and '"prediction": 4' in body


def test_the_python_example_works(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = page.run("return document.querySelector('code.python').textContent")
    (tmp_path / "7.png").write_bytes((SAMPLES / "MNIST-7.png").read_bytes())
    monkeypatch.setenv("MNIST_TOKEN", TOKEN)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "'prediction': 7" in done.stdout


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_commands_are_copied(page: Page, has_clipboard: bool) -> None:
    page.chrome.execute_cdp_cmd(
        "Browser.setPermission", {"permission": {"name": "clipboard-read"}, "setting": "granted"}
    )
    for index in (1, 0):
        if not has_clipboard:  # as on pages that are neither local nor over TLS
            page.run("Object.defineProperty(navigator, 'clipboard', {configurable: true})")
        button = page.all("[data-copies]")[index]
        button.click()
        page.wait_for("return arguments[0].textContent === 'Copied'", button)
        page.run("delete navigator.clipboard")  # restores it
        copied = page.chrome.execute_async_script(
            "navigator.clipboard.readText().then(arguments[0], arguments[0])"
        )
        assert copied.strip() == page.all("pre code")[index].text.strip()
        page.wait_for("return arguments[0].textContent === 'Copy'", button)


def test_search_shows_what_matches(page: Page) -> None:
    page["search"].send_keys("prometheus")
    assert [each.get_attribute("id") for each in page.all("details:not([hidden])")] == [
        "metrics_scrape"
    ]
    assert [heading.text for heading in page.all("h2") if heading.is_displayed()] == ["Server"]
    assert page["found"].text == "1 found"
    page["search"].send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.BACKSPACE)
    assert page.all("details[hidden]") == []
    page["search"].send_keys("PREDICT picarray")
    assert "native_predict" in {e.get_attribute("id") for e in page.all("details:not([hidden])")}
    # A link to a schema that is hidden shows it.
    _unfold(page, "DigitRecord")
    assert page["DigitRecord"].is_displayed()


@pytest.mark.parametrize("screen", [(1280, 800), (320, 568), (844, 390)])
def test_the_page_fits_the_width(page: Page, screen: tuple[int, int]) -> None:
    with emulated(page.chrome, screen):
        page.run("document.querySelectorAll('details').forEach((each) => each.open = true)")
        assert (
            page.run(
                "const {scrollWidth, clientWidth} = document.documentElement;"
                "return scrollWidth - clientWidth"
            )
            == 0
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations(page: Page, scheme: str) -> None:
    with emulated(page.chrome, (1280, 800), prefers_color_scheme=scheme):
        _unfold(page, "native_predict")
        _unfold(page, "PredictionRecord")
        _try(page, page.all("[data-path]")[0])
        assert page.violations() == []
