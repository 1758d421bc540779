"""The page `/draw` around the drawing: models, samples, commands, token, layout, accessibility."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.support.ui import Select

from mnist_cli.loader import find_models
from tests.browser import DrawPage, emulated, opened
from tests.running import SAMPLES
from tests.serving import Server, serving

SCREENS = [(1280, 800), (940, 640), (700, 700), (390, 844), (844, 390), (640, 400)]
DIALOGS = ("samples", "compare", "code")


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Iterator[DrawPage]:
    with opened(chrome, f"http://{server.host}:{server.port}", "/draw", DrawPage) as page:
        yield page


def test_all_samples_are_read(page: DrawPage) -> None:
    names = [str(image.get_attribute("src")).split("/")[-1] for image in page.all(".samples img")]
    assert len(names) == 8
    for name in names:
        page.choose_sample(name)
        page.await_number(Path(name).stem.split("-")[-1])


def test_the_keyboard_chooses_a_sample(page: DrawPage) -> None:
    page.run("document.getElementById('samples').focus()")
    page.press(Keys.ENTER)
    for _ in range(2):  # past the button Close
        page.press(Keys.TAB)
    page.press(Keys.ENTER)
    page.await_number("6")


def test_another_model_answers_and_stays_chosen(page: DrawPage) -> None:
    assert Select(page["model"]).first_selected_option.text == "k_cnn"
    page.choose_sample("MNIST-8.png")
    page.await_number("8")
    Select(page["model"]).select_by_visible_text("t_ffnn")
    page.wait_for(
        "return performance.getEntriesByType('resource').at(-1).name.includes('model=t_ffnn')"
    )
    page.chrome.refresh()
    assert Select(page["model"]).first_selected_option.text == "t_ffnn"


def test_the_models_are_compared(page: DrawPage) -> None:
    page.choose_sample("house-number-407.png")
    page.await_number("407")
    page["compare"].click()
    models = find_models()
    page.wait_for("return comparison.lastElementChild.lastElementChild.textContent")
    rows = [row.text.split("\n") for row in page.all("#comparison tr")]
    cells = [" ".join(row).split(" ") for row in rows]
    assert [row[0] for row in cells] == [model.name for model in models]
    for row, model in zip(cells, models, strict=True):
        assert row[1] == f"{100 * model.statistics['accuracy']:.2f}"
        assert row[3] == "407"
    page.all("#comparison button")[-1].click()
    assert Select(page["model"]).first_selected_option.text == "t_ffnn"


@pytest.mark.parametrize("source", ["drawing", "file", "nothing"])
def test_the_copied_commands_work(page: DrawPage, source: str, tmp_path: Path) -> None:
    expected = "7"
    if source == "drawing":
        page.draw([(0.5, 0.2), (0.5, 0.8)])
        expected = "1"
    elif source == "file":
        name = "it's a 4.png"
        (tmp_path / name).write_bytes((SAMPLES / "colour-4.png").read_bytes())
        page["file"].send_keys(str(tmp_path / name))
        expected = "4"
    else:
        (tmp_path / "7.png").write_bytes((SAMPLES / "MNIST-7.png").read_bytes())
    if source != "nothing":
        page.await_number(expected)
    page.open_dialog("code")
    permission = {"name": "clipboard-read"}
    page.chrome.execute_cdp_cmd(
        "Browser.setPermission", {"permission": permission, "setting": "granted"}
    )
    for name, program in (("curl", ["sh", "-c"]), ("python", [sys.executable, "-c"])):
        [button] = page.all(f"[data-copies={name}]")
        button.click()
        page.wait_for("return arguments[0].textContent === 'Copied'", button)
        copied = page.chrome.execute_async_script(
            "navigator.clipboard.readText().then(arguments[0], arguments[0])"
        )
        done = subprocess.run(
            [*program, copied], capture_output=True, cwd=tmp_path, check=True, text=True
        )
        record = json.loads(done.stdout.replace("'", '"'))
        assert record["text"] == expected


def test_the_token_is_requested_once(chrome: Chrome) -> None:
    with serving("--quiet", env={"MNIST_TOKEN": "secret"}) as server:
        assert server.ask("POST", "/predict").status == 401
        origin = f"http://{server.host}:{server.port}"
        page = DrawPage(chrome, f"{origin}/draw")
        page.choose_sample("MNIST-8.png")
        for token in ("wrong", "secret"):
            page.wait_for("return document.getElementById('token-dialog').open")
            page["token"].send_keys(token, Keys.ENTER)
            page.wait_for("return sessionStorage.getItem('mnist-token') === arguments[0]", token)
        page.await_number("8")
        chrome.refresh()
        page.draw([(0.5, 0.2), (0.5, 0.8)])
        page.await_number("1")
        page.open_dialog("code")
        for id, program in (("curl", ["sh", "-c"]), ("python", [sys.executable, "-c"])):
            command = page.run("return document.getElementById(arguments[0]).textContent", id)
            assert "secret" not in command
            env = {**os.environ, "MNIST_TOKEN": "secret"}
            done = subprocess.run([*program, command], capture_output=True, env=env, check=True)
            assert b"text" in done.stdout
        page.run("sessionStorage.clear()")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_fits_the_screen(page: DrawPage, screen: tuple[int, int]) -> None:
    with emulated(page.chrome, screen):
        page.choose_sample("house-number-407.png")
        page.await_number("407")
        size = "const {scrollWidth, scrollHeight} = document.documentElement;"
        assert page.run(f"{size} return [scrollWidth, scrollHeight]") == list(screen)
        small = (
            "return [...document.querySelectorAll('button, a, select, input, canvas')]"
            ".filter((element) => element.checkVisibility() && !element.closest('#digits canvas'))"
            ".filter((element) => { const {width, height} = element.getBoundingClientRect();"
            " return width < 44 || height < 44; }).map((element) => element.outerHTML)"
        )
        assert page.run(small) == []
        for dialog in DIALOGS:
            page.open_dialog(dialog)
            assert page.run(small) == []
            overflow = (
                "const {scrollHeight, clientHeight} = document.querySelector('dialog[open]');"
                "return scrollHeight - clientHeight"
            )
            assert page.run(overflow) == 0
            page.press(Keys.ESCAPE)


def test_a_narrow_screen_scrolls_only_vertically(page: DrawPage) -> None:
    with emulated(page.chrome, (320, 568)):
        page.choose_sample("house-number-407.png")
        page.await_number("407")
        assert page.run("return document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations(page: DrawPage, scheme: str) -> None:
    with emulated(page.chrome, (1280, 800), prefers_color_scheme=scheme):
        assert page.violations() == []
        page.choose_sample("house-number-407.png")
        page.await_number("407")
        assert page.violations() == []
        for dialog in DIALOGS:
            page.open_dialog(dialog)
            assert page.violations() == []
            page.press(Keys.ESCAPE)


def test_the_keyboard_reaches_all_controls(page: DrawPage) -> None:
    page.draw([(0.5, 0.2), (0.5, 0.8)])
    page.await_number("1")
    page.run("document.getElementById('model').focus()")
    for expected in ("compare", "code", "", "pad", "eraser", "width", "undo", "clear", "choose"):
        page.press(Keys.TAB)
        focused = page.chrome.switch_to.active_element
        assert focused.get_attribute("id") == expected
        assert focused.value_of_css_property("outline-style") == "solid"
    page.press(Keys.SHIFT, Keys.TAB)
    page.press(Keys.ENTER)
    page.await_number("")
