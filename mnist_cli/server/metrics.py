"""`GET /metrics` for Prometheus: requests, latency, and what was predicted."""

import functools
import os
from typing import Any

from flask import Blueprint, Response, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

metrics = Blueprint("metrics", __name__)

requests = Counter("mnist_requests", "Requests answered", ["route", "status"])
latency = Histogram(
    "mnist_request_seconds",
    "Time from the whole request to its answer",
    ["route"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
predictions = Counter("mnist_predictions", "Digits read", ["model", "digit"])


def count_request(status: int, seconds: float) -> None:
    """Count the request that is being answered, by its route: paths are without number."""
    route = request.url_rule.rule if request.url_rule else "none"
    _labelled(requests, route, status).inc()
    _labelled(latency, route).observe(seconds)


def count_prediction(model: str, digit: int) -> None:
    """Count a picture that was answered."""
    _labelled(predictions, model, digit).inc()


@functools.cache
def _labelled(metric: Any, *labels: str | int) -> Any:
    """A metric with its labels, which are looked up only once."""
    return metric.labels(*labels)


@metrics.get("/metrics")
def scrape() -> Response:
    """Answer all metrics, of all workers together."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
