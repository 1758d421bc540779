"""Which requests are answered so soon that to wake a thread for them would take longer.

The loop over the sockets answers these itself. Nobody else is answered meanwhile, so what may take
long is never among them: pictures to decode, large bodies, models that are still to be loaded.
Those that wait at the same time have their pictures read together.
"""

import contextlib
import time
from collections import deque

from flask import Flask

from mnist_cli import reshape
from mnist_cli.reshape import Pixels
from mnist_cli.server.http.channel import Channel, Request
from mnist_cli.server.middleware import HEALTH_PATHS
from mnist_cli.server.native import decode_pixels, predict_images, preprocess_option
from mnist_cli.server.state import get_models, get_settings

# 32,000 pixels at most, each a digit and a comma: they take a few milliseconds, noise some ten.
MAX_BODY_BYTES = 64 * 2**10
# So many pictures are read together, or those that can be framed in so many seconds.
MAX_BATCH_SIZE = 16
MAX_PREPROCESSING_SECONDS = 0.005


class MicroBatcher:
    """Tells them by what waitress has parsed, and reads their pictures.

    One by one, each request would find that the run of the model before it has driven its code out
    of the caches of the processor, and the model that the code has driven out its weights.
    """

    def __init__(self, app: Flask, url_prefix: str) -> None:
        """Take the app that answers them, and where it is mounted."""
        self._models = get_models(app)
        self._settings = get_settings(app)
        self._health = {url_prefix + path for path in HEALTH_PATHS}
        self._predict = url_prefix + "/predict"

    def is_health_check(self, request: Request) -> bool:
        """Whether it asks how the server is."""
        return not request.error and request.path in self._health  # what is no HTTP has no path

    def is_small_image(self, request: Request) -> bool:
        """Whether it is the pixels of one small picture, for the model that is loaded."""
        return (
            not request.error
            and request.command == "POST"
            and request.path == self._predict
            and request.headers.get("CONTENT_TYPE", "").startswith("application/json")
            and request.body_bytes_received <= MAX_BODY_BYTES
            # To find several digits takes tens of milliseconds.
            and not request.query_params.keys() & {"model", "multi"}
            and self._models.is_ready
        )

    def next_batch(self, queue: deque[Channel]) -> list[Channel]:
        """Take those that are next, with their pictures read.

        What is wrong with one of them is told by the app, which reads that one again.
        """
        batch: list[Channel] = []
        preprocessed: list[tuple[Request, Pixels]] = []
        until = time.monotonic() + MAX_PREPROCESSING_SECONDS
        while queue and len(batch) < MAX_BATCH_SIZE and time.monotonic() < until:
            batch.append(queue.popleft())
            request = batch[-1].requests[0]
            if request.path == self._predict and self._is_allowed(request):
                with contextlib.suppress(Exception):
                    preprocessed.append((request, _preprocess(request)))
        if preprocessed:
            with contextlib.suppress(Exception):
                predictions = predict_images(
                    self._models.get().model, [picture for _, picture in preprocessed]
                )
                for (request, _), predicted in zip(preprocessed, predictions, strict=True):
                    request.predicted = predicted
        return batch

    def _is_allowed(self, request: Request) -> bool:
        return self._settings.is_authorized(request.headers.get("AUTHORIZATION"))


def _preprocess(request: Request) -> Pixels:
    """The picture of a request, as it goes into a batch; the body is left for the app."""
    stream = request.get_body_stream()
    body = stream.read()
    stream.seek(0)
    return reshape.to_28x28(decode_pixels(body), preprocess_option(request.query_params))
