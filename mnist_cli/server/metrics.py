"""Counts requests and predictions, and serves the metrics at `GET /metrics`."""

import functools
import os
from typing import TypeVar

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

requests = Counter("mnist_requests", "Requests by route and status", ["route", "status"])
latency = Histogram(
    "mnist_request_seconds",
    "Time from the end of the request to the response",
    ["route"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
batch_sizes = Histogram(
    "mnist_batch_size",
    "Pictures of concurrent requests that were predicted in one run of the model",
    buckets=(1, 2, 4, 8, 16),
)
failed_batches = Counter(
    "mnist_failed_batches", "Batches whose requests were answered one by one after an error"
)
predictions = Counter("mnist_predictions", "Predictions by model and digit", ["model", "digit"])

Metric = TypeVar("Metric", Counter, Histogram)


def count_request(status: int, seconds: float) -> None:
    """Count the current request. The label is its route, since paths are unbounded."""
    _count(request.url_rule.rule if request.url_rule else "none", status, seconds)


def count_rejected(status: int, seconds: float) -> None:
    """Count a request that the app did not see."""
    _count("none", status, seconds)


def _count(route: str, status: int, seconds: float) -> None:
    _labelled(requests, route, status).inc()
    _labelled(latency, route).observe(seconds)


def count_prediction(model: str, digit: int) -> None:
    _labelled(predictions, model, digit).inc()


def count_batch(size: int) -> None:
    """Count a batch of concurrent requests with so many pictures."""
    batch_sizes.observe(size)


def count_failed_batch() -> None:
    """Count a batch that raised an unexpected error."""
    failed_batches.inc()


@functools.cache
def _labelled(metric: Metric, *labels: str | int) -> Metric:
    """Return `metric.labels(...)` from a cache, since it is slow."""
    return metric.labels(*labels)


@metrics.get("/metrics")
def scrape() -> Response:
    """Return the metrics of all workers."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
