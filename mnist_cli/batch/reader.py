"""Turns files into records, many at a time."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, TypeVar, cast

from mnist_cli import images, prediction, records, reshape
from mnist_cli.batch.listing import Listed
from mnist_cli.batch.reading import Reading
from mnist_cli.batch.uris import Content, is_uri
from mnist_cli.errors import InputError
from mnist_cli.loader import load_model
from mnist_cli.records import BatchRecord

NO_STDIN = io.BytesIO()
# Files behind URIs that are asked for at a time.
REMOTE_READ_THREADS = 32
# Bytes that may wait for the next step.
READAHEAD_BYTES = 2**20

Picture = reshape.Pixels | str
"""A picture [H, W], 0 black to 255 white, or what is wrong with the file."""
Contents = bytes | str
"""What is in a file, or what is wrong with it."""

T = TypeVar("T", bytes, reshape.Pixels)
Made = TypeVar("Made", Contents, Picture)


class Reader:
    """Reads files with one model."""

    def __init__(self, reading: Reading) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._reading = reading
        self._threads = ThreadPoolExecutor(REMOTE_READ_THREADS)
        self._model = load_model(
            reading.model, model_dir=reading.model_dir, runtime=reading.runtime
        )

    def read(self, files: Sequence[Listed]) -> list[BatchRecord]:
        """Answer each of these files, in their order."""
        pictures: Iterable[Picture]
        if any(is_uri(file.file) for file in files):  # what is far away is waited for
            pictures = self._threads.map(
                lambda file: self._to_28x28(_decoded(_content(file))), files
            )
        else:
            decoded = map(_decoded, _read_ahead(map(_content, files)))
            pictures = map(self._to_28x28, _read_ahead(decoded))
        return self._answer(files, list(pictures))

    def _to_28x28(self, picture: Picture) -> Picture:
        if isinstance(picture, str):
            return picture
        return _attempt(lambda: reshape.to_28x28(picture, self._reading.preprocess))

    def _answer(self, files: Sequence[Listed], pictures: list[Picture]) -> list[BatchRecord]:
        readable = [picture for picture in pictures if not isinstance(picture, str)]
        answers = iter(
            prediction.predict(self._model, reshape.to_model_input(readable)) if readable else ()
        )
        return [
            {"file": file.file, "error": picture}
            if isinstance(picture, str)
            else {
                **records.prediction_record(
                    next(answers), model=self._model.name, scores=self._reading.scores
                ),
                "file": file.file,
            }
            for file, picture in zip(files, pictures, strict=True)
        ]


def _read_ahead(items: Iterable[Made]) -> Iterator[Made]:
    """Pass items on, of which READAHEAD_BYTES bytes are made before the first is taken.

    To read many files, then decode many and then frame many takes less time than one by one in
    turns, where each step throws the code of the others out of the core's caches.
    """
    waiting: list[Made] = []
    size = 0
    for item in items:
        waiting.append(item)
        size += len(item) if isinstance(item, str | bytes) else item.nbytes
        if size >= READAHEAD_BYTES:
            yield from waiting
            waiting, size = [], 0
    yield from waiting


def _content(file: Listed) -> Contents:
    return _attempt(lambda: _load(file))


def _load(file: Listed) -> bytes:
    if file.error:
        raise InputError(file.error)
    if is_uri(file.file):
        return images.load("-", cast(BinaryIO, Content(file.file)))
    return images.load(file.file, NO_STDIN)


def _decoded(content: Contents) -> Picture:
    if isinstance(content, str):
        return content
    return _attempt(lambda: images.decode_silently(content))


def _attempt(step: Callable[[], T]) -> T | str:
    """Whatever is wrong with a file, it must not stop the others."""
    try:
        return step()
    except InputError as error:
        return str(error)
    except MemoryError:
        return "there is not enough memory to read it"
    except Exception as error:
        return f"a fault of mnist, please report it: {error!r}"
