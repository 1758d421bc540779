"""Recognizes and prepares the small pictures of `/predict` that a server may predict in batches.

The parsers are those of the route. A picture that cannot be prepared here is left to the route,
which reports the error.
"""

from collections.abc import Mapping

from mnist_cli.errors import InputError
from mnist_cli.picture import Picture
from mnist_cli.preprocessing import Prepared, prepare_clean
from mnist_cli.server.native.pixels_json import decode_pixels, is_json
from mnist_cli.server.native.predict_query import preprocess_option

# At most 32,000 pixels, each a digit and a comma: a few milliseconds, about ten for noise.
MAX_BODY_BYTES = 64 * 2**10
# Another model may have to be loaded, and reading several digits takes tens of milliseconds.
SLOW_OPTIONS = {"model", "multi"}


def has_small_picture(content_type: str, query: Mapping[str, str], body_bytes: int) -> bool:
    """Whether a request to `/predict` has the pixels of a small picture for the default model."""
    return (
        body_bytes <= MAX_BODY_BYTES and is_json(content_type) and not query.keys() & SLOW_OPTIONS
    )


def prepare_small_picture(body: bytes, query: Mapping[str, str]) -> Prepared | None:
    """Prepare the picture of a request without the detector; None if the request is invalid."""
    try:
        return prepare_clean(Picture.from_pixels(decode_pixels(body)), preprocess_option(query))
    except InputError:
        return None
