"""Turns files into records, many at a time."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, TypeVar, cast

from mnist_cli import images, prediction, records, reshape
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.uris import RemoteFile, is_uri
from mnist_cli.errors import InputError
from mnist_cli.loader import load_model
from mnist_cli.records import BatchRecord

EMPTY_STDIN = io.BytesIO()
# Files behind URIs that are asked for at a time.
REMOTE_READ_THREADS = 32
# Bytes that may wait for the next step.
READAHEAD_BYTES = 2**20

PixelsOrError = reshape.Pixels | str
"""A picture [H, W], 0 black to 255 white, or what is wrong with the file."""
BytesOrError = bytes | str
"""What is in a file, or what is wrong with it."""

T = TypeVar("T", bytes, reshape.Pixels)
Item = TypeVar("Item", BytesOrError, PixelsOrError)


class Reader:
    """Reads files with one model."""

    def __init__(self, config: ReaderConfig) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._config = config
        self._threads = ThreadPoolExecutor(REMOTE_READ_THREADS)
        self._model = load_model(config.model, model_dir=config.model_dir, runtime=config.runtime)

    def read(self, files: Sequence[InputFile]) -> list[BatchRecord]:
        """Answer each of these files, in their order."""
        pictures: Iterable[PixelsOrError]
        if any(is_uri(file.file) for file in files):  # what is far away is waited for
            pictures = self._threads.map(
                lambda file: self._to_28x28(_decode(_read_content(file))), files
            )
        else:
            decoded = map(_decode, _read_ahead(map(_read_content, files)))
            pictures = map(self._to_28x28, _read_ahead(decoded))
        return self._answer(files, list(pictures))

    def _to_28x28(self, picture: PixelsOrError) -> PixelsOrError:
        if isinstance(picture, str):
            return picture
        return _result_or_error(lambda: reshape.to_28x28(picture, self._config.preprocess))

    def _answer(
        self, files: Sequence[InputFile], pictures: list[PixelsOrError]
    ) -> list[BatchRecord]:
        readable = [picture for picture in pictures if not isinstance(picture, str)]
        answers = iter(
            prediction.predict(self._model, reshape.to_model_input(readable)) if readable else ()
        )
        return [
            {"file": file.file, "error": picture}
            if isinstance(picture, str)
            else {
                **records.prediction_record(
                    next(answers), model=self._model.name, scores=self._config.scores
                ),
                "file": file.file,
            }
            for file, picture in zip(files, pictures, strict=True)
        ]


def _read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Pass items on, of which READAHEAD_BYTES bytes are made before the first is taken.

    To read many files, then decode many and then frame many takes less time than one by one in
    turns, where each step throws the code of the others out of the core's caches.
    """
    waiting: list[Item] = []
    size = 0
    for item in items:
        waiting.append(item)
        size += len(item) if isinstance(item, str | bytes) else item.nbytes
        if size >= READAHEAD_BYTES:
            yield from waiting
            waiting, size = [], 0
    yield from waiting


def _read_content(file: InputFile) -> BytesOrError:
    return _result_or_error(lambda: _load(file))


def _load(file: InputFile) -> bytes:
    if file.error:
        raise InputError(file.error)
    if is_uri(file.file):
        return images.load("-", cast(BinaryIO, RemoteFile(file.file)))
    return images.load(file.file, EMPTY_STDIN)


def _decode(content: BytesOrError) -> PixelsOrError:
    if isinstance(content, str):
        return content
    return _result_or_error(lambda: images.decode_silently(content))


def _result_or_error(step: Callable[[], T]) -> T | str:
    """Whatever is wrong with a file, it must not stop the others."""
    try:
        return step()
    except InputError as error:
        return str(error)
    except MemoryError:
        return "there is not enough memory to read it"
    except Exception as error:
        return f"a fault of mnist, please report it: {error!r}"
