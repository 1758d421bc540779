"""Turns files into records, many at a time."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

from mnist_cli import images, output, prediction, reshape
from mnist_cli.batch.listing import Listed
from mnist_cli.batch.reading import Reading
from mnist_cli.batch.uris import Content, is_uri
from mnist_cli.errors import InputError
from mnist_cli.loader import load_model

NO_STDIN = io.BytesIO()
# Files behind URIs that are asked for at a time.
THREADS = 32

Picture = reshape.Pixels | str
"""A picture [28, 28], 0 black to 255 white, or what is wrong with the file."""


class Reader:
    """Reads files with one model."""

    def __init__(self, reading: Reading) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._reading = reading
        self._threads = ThreadPoolExecutor(THREADS)
        self._model = load_model(
            reading.model, model_dir=reading.model_dir, runtime=reading.runtime
        )

    def read(self, files: Sequence[Listed]) -> list[output.Record]:
        """Answer each of these files, in their order."""

        def answered(file: Listed) -> tuple[str, Picture]:
            return file.file, self._attempt(file)

        # What is far away is waited for.
        far = any(is_uri(file.file) for file in files)
        return self._answer(list((self._threads.map if far else map)(answered, files)))

    def _attempt(self, file: Listed) -> Picture:
        """Whatever is wrong with a file, it must not stop the others."""
        try:
            return reshape.shrunk(_pixels(file), self._reading.preprocess)
        except InputError as error:
            return str(error)
        except MemoryError:
            return "there is not enough memory to read it"
        except Exception as error:
            return f"a fault of mnist, please report it: {error!r}"

    def _answer(self, pictures: list[tuple[str, Picture]]) -> list[output.Record]:
        readable = [picture for _, picture in pictures if not isinstance(picture, str)]
        answers = iter(
            prediction.predict(self._model, reshape.five_steps(readable)) if readable else ()
        )
        return [
            {"file": file, "error": picture}
            if isinstance(picture, str)
            else output.prediction_record(
                next(answers),
                model=self._model.name,
                scores=self._reading.scores,
                min_probability=0,
            )
            | {"file": file}
            for file, picture in pictures
        ]


def _pixels(file: Listed) -> images.Pixels:
    if file.error:
        raise InputError(file.error)
    if is_uri(file.file):
        return images.read("-", cast(BinaryIO, Content(file.file)))
    return images.read(file.file, NO_STDIN)
