"""Batches small images of concurrent requests in the event loop.

Waking a worker thread would take longer than answering a health check or predicting a small image,
so the event loop does both itself. Meanwhile it serves nobody else: requests that may take long
(encoded pictures, large bodies, pictures that need the detector, models that are not loaded) are
left to the threads.

One run of the model for many images keeps its weights, and the code of everything else, in the
caches of the processor.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from flask import Flask

from mnist_cli.prediction import Digit
from mnist_cli.preprocessing import Prepared
from mnist_cli.recognition import read_prepared
from mnist_cli.server.http.channel import Channel
from mnist_cli.server.http.request import Request
from mnist_cli.server.metrics import count_batch, count_failed_batch
from mnist_cli.server.middleware import HEALTH_PATHS
from mnist_cli.server.native import has_small_picture, prepare_small_picture
from mnist_cli.server.state import get_models

# A batch ends when it has this many requests, or when preprocessing took this long.
MAX_BATCH_SIZE = 16
MAX_PREPROCESSING_SECONDS = 0.005

logger = logging.getLogger(__name__)


class MicroBatcher:
    """Classifies parsed requests and predicts their images in batches."""

    def __init__(self, app: Flask, url_prefix: str) -> None:
        self._models = get_models(app)
        self._health_paths = {url_prefix + path for path in HEALTH_PATHS}
        self._predict_path = url_prefix + "/predict"
        self._has_failed = False

    def is_health_check(self, request: Request) -> bool:
        # A compressed body may take long to decode.
        is_short = not request.error and not request.body_bytes_received
        return is_short and request.path in self._health_paths

    def is_small_image(self, request: Request) -> bool:
        """Whether the request has the pixels of one small image for the default model."""
        return (
            not request.error
            and request.command == "POST"
            and request.path == self._predict_path
            and "CONTENT_ENCODING" not in request.headers
            and has_small_picture(
                request.headers.get("CONTENT_TYPE", ""),
                request.query_params,
                request.body_bytes_received,
            )
            and self._models.is_ready
        )

    def next_batch(self, queue: deque[Channel], defer: Callable[[Channel], None]) -> list[Channel]:
        """Remove the next channels from the queue, and predict the images of their requests.

        A request that fails here is left to the app, which reports the error.

        Args:
            queue: the channels that wait for the event loop.
            defer: passes a channel whose picture needs the detector to the worker threads.

        Returns:
            The channels to be answered now.
        """
        ready: list[Channel] = []
        batch: list[tuple[Channel, Prepared]] = []
        deadline = time.monotonic() + MAX_PREPROCESSING_SECONDS
        while queue and len(ready) + len(batch) < MAX_BATCH_SIZE and time.monotonic() < deadline:
            channel = queue.popleft()
            prepared = self._prepare(channel.requests[0])
            if prepared is None:
                ready.append(channel)
            else:
                batch.append((channel, prepared))
        for (channel, _), digit in zip(batch, self._predict(batch), strict=True):
            channel.requests[0].digit = digit
            if digit is None:
                defer(channel)
            else:
                ready.append(channel)
        return ready

    def _prepare(self, request: Request) -> Prepared | None:
        """Prepare the image of a request without the detector; None if there is none to predict."""
        if request.path != self._predict_path:
            return None
        try:
            return prepare_small_picture(_read_body(request), request.query_params)
        except Exception as error:
            self._report_failure(error)
            return None

    def _predict(self, batch: Sequence[tuple[Channel, Prepared]]) -> Sequence[Digit | None]:
        """Predict the images of a batch; None for those that need the detector."""
        if not batch:
            return []
        count_batch(len(batch))
        try:
            return read_prepared(self._models.get().model, [prepared for _, prepared in batch])
        except Exception as error:
            self._report_failure(error)
            return [None] * len(batch)

    def _report_failure(self, error: Exception) -> None:
        """Count the failure of a batch, and log the first one."""
        count_failed_batch()
        if not self._has_failed:
            self._has_failed = True
            logger.warning("a batch failed, its requests are answered one by one: %r", error)


def _read_body(request: Request) -> bytes:
    """Read the body so that the app can read it again."""
    stream = request.get_body_stream()
    body = stream.read()
    stream.seek(0)
    return body
