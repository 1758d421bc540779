"""The fuzzer in `benchmarks/` finds nothing in `mnist serve`, and would find a fault."""

import random

import pytest

pytest.importorskip("benchmarks", reason="comes with a checkout only")

from benchmarks.serving.fuzz import FILE_LIMIT, fuzz, mutated, raw
from benchmarks.serving.sample_requests import sample_requests
from benchmarks.serving.server import running_server

pytestmark = pytest.mark.slow


def test_mutated_requests_get_no_internal_error() -> None:
    with running_server(FILE_LIMIT) as server:
        assert list(fuzz(server, seed=1, numbers=range(1000))) == []


def test_a_traceback_in_the_log_is_reported() -> None:
    with running_server(FILE_LIMIT) as server:
        failures = fuzz(server, seed=1, numbers=range(1))
        server.log.append("Traceback (most recent call last):")
        assert list(failures) == ["the server logged: Traceback (most recent call last):"]


def test_mutations_depend_on_the_seed() -> None:
    samples = [raw(request) for request in sample_requests()]
    assert mutated(samples, random.Random("0 1")) == mutated(samples, random.Random("0 1"))
    assert mutated(samples, random.Random("0 1")) != mutated(samples, random.Random("1 1"))
