"""How browsers get the pages: `GET /`, the icon and `mnist serve --open`."""

import stat
import time
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.browser import Page, opened
from tests.serving import Server, serving

BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def _is_page(server: Server, path: str, **headers: str) -> bool:
    answer = server.ask("GET", path, **headers)
    assert answer.status == 200
    assert "Accept" in answer.headers["Vary"]
    is_page = answer.headers["Content-Type"] == "text/html; charset=utf-8"
    if is_page:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.body == server.ask("GET", "/draw").body
    else:
        assert answer.json["prediction"] == 0
    return is_page


def test_the_root_is_a_page_for_browsers_only(server: Server) -> None:
    assert _is_page(server, "/", Accept=BROWSER_ACCEPT)
    assert _is_page(server, "/?model=t_cnn", Accept="text/html")
    for accept in ("*/*", "application/json", "application/json, text/html", "image/png", "text/*"):
        assert _is_page(server, "/", Accept=accept) is (accept == "text/*")
    assert not _is_page(server, "/")


def test_the_page_at_the_root_needs_no_token_but_a_local_host() -> None:
    with serving(env={"MNIST_TOKEN": "secret"}) as server:
        assert _is_page(server, "/", Accept=BROWSER_ACCEPT)
        assert server.ask("GET", "/").status == 401
        assert server.ask("POST", "/", Accept=BROWSER_ACCEPT).status == 401
        assert server.ask("GET", "/favicon.ico").status == 200
    with serving() as server:
        assert server.ask("GET", "/", Accept=BROWSER_ACCEPT, Host="evil.example").status == 403


def test_a_browser_opens_the_root(chrome: Chrome) -> None:
    with serving("--quiet", "--url-prefix", "/digits") as server:
        origin = f"http://{server.host}:{server.port}"
        with opened(chrome, origin, "/digits", Page) as page:  # redirected to /digits/
            assert page.run("return document.title").endswith("· mnist")
            assert page["pad"].is_displayed()


def test_the_icon(server: Server) -> None:
    answer = server.ask("GET", "/favicon.ico")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.body.startswith(b"<svg")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["{} %s", "{} %s &"])
@pytest.mark.parametrize("arguments", [(), ("--workers", "2"), ("--host", "0.0.0.0", "--insecure")])
def test_the_page_is_opened_once_the_server_is_ready(
    tmp_path: Path, arguments: tuple[str, ...], command: str
) -> None:
    opened_urls, browser = tmp_path / "urls", tmp_path / "browser"
    # Python takes a program that ends at once for one that could not open a page.
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened_urls}\nsleep 0.5\n')
    browser.chmod(stat.S_IRWXU)
    with serving("--open", *arguments, env={"BROWSER": command.format(browser)}) as server:
        deadline = time.monotonic() + 20
        while not opened_urls.exists() or not opened_urls.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        host = server.host.replace("0.0.0.0", "localhost")
        assert opened_urls.read_text() == f"http://{host}:{server.port}/\n"
        time.sleep(1)  # the browser has ended, too
        assert server.stop() == (0, "")


def test_a_missing_browser_is_reported(tmp_path: Path) -> None:
    with serving("--open", env={"PATH": str(tmp_path), "BROWSER": "/bin/false %s"}) as server:
        assert server.process.stderr is not None
        line = server.process.stderr.readline()
        url = f"http://{server.host}:{server.port}/"
        assert line == f"mnist: warning: no browser was found: open {url} in one\n"
        assert server.ask("GET", "/health").status == 200


def test_the_start_names_the_address_and_how_to_stop(server: Server) -> None:
    url = f"http://{server.host}:{server.port}/"
    assert server.announcement == (
        f"mnist: info: serving k_cnn on {url} (open it in a browser; Ctrl-C stops)\n"
    )
