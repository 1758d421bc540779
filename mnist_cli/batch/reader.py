"""Reads chunks of files and predicts their digits."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from mnist_cli import images, input_files, preprocessing, recognition
from mnist_cli.api import DigitModel
from mnist_cli.batch.annotations import Annotations
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.results import BatchResult, skipped, to_record
from mnist_cli.batch.uris import RemoteFile, is_uri
from mnist_cli.chunks import chunked
from mnist_cli.errors import InputError, OutputError
from mnist_cli.loader import load_model
from mnist_cli.picture import Picture
from mnist_cli.picture_files import is_picture_file
from mnist_cli.prediction import Digit
from mnist_cli.predictor import Predictor
from mnist_cli.preprocessing import Prepared
from mnist_cli.records import DigitsRecord, PredictionRecord

# Files behind URIs that are read at the same time.
REMOTE_READ_THREADS = 32
# One step prepares this much before the next step starts.
READAHEAD_BYTES = 2**20

Record = TypeVar("Record", PredictionRecord, DigitsRecord)
S = TypeVar("S")
T = TypeVar("T")
Item = TypeVar("Item", bound="bytes | Picture | Failure")


class Failure(NamedTuple):
    """Why a file has no prediction."""

    error: str
    is_skipped: bool = False


NOT_A_PICTURE = Failure("not a picture", is_skipped=True)


class Reader:
    """Reads files with one model."""

    def __init__(self, config: ReaderConfig) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        self.several_pages = 0
        """Files of the last `read` with several pages, of which only the first was read."""
        self._config = config
        self._threads = ThreadPoolExecutor(REMOTE_READ_THREADS)
        self._model = load_model(
            config.model,
            model_dir=config.model_dir,
            runtime=config.runtime,
            input=config.input,
        )
        self._predictor = Predictor(DigitModel(self._model), scores=config.scores)

    def read(self, files: Sequence[InputFile]) -> list[BatchResult]:
        """Read files and return their results, in the same order.

        Raises:
            OutputError: an annotated picture cannot be written.
        """
        self.several_pages = 0
        if self._config.multi:
            return self._read_numbers(files)
        decoded = map(self._decode, files, _read_ahead(self._contents(files)))
        prepare = functools.partial(_unless_failed, self._prepare)
        return self._predict(files, list(map(prepare, _read_ahead(decoded))))

    def _contents(self, files: Sequence[InputFile]) -> Iterator[bytes | Failure]:
        """Yield the content of each file; threads hide the latency of the network."""
        load = functools.partial(_unless_failed, _load)
        for part in chunked(files, REMOTE_READ_THREADS):
            is_remote = any(is_uri(file.file) for file in part)
            yield from self._threads.map(load, part) if is_remote else map(load, part)

    def _decode(self, file: InputFile, content: bytes | Failure) -> Picture | Failure:
        picture = _unless_failed(images.decode_silently, content)
        if isinstance(picture, Picture):
            if picture.has_more_pages:
                self.several_pages += 1
        elif isinstance(content, bytes):
            path = urlsplit(file.file).path if is_uri(file.file) else file.file
            return picture if is_picture_file(path, content) else NOT_A_PICTURE
        return picture

    def _prepare(self, picture: Picture) -> Prepared:
        return preprocessing.prepare(picture, self._config.preprocess)

    def _predict(
        self, files: Sequence[InputFile], prepared: list[Prepared | Failure]
    ) -> list[BatchResult]:
        readable = [picture for picture in prepared if not isinstance(picture, Failure)]
        digits = iter(recognition.read_prepared(self._model, readable))
        results: list[BatchResult] = []
        for file, picture in zip(files, prepared, strict=True):
            digit = picture if isinstance(picture, Failure) else next(digits)
            if digit is None:
                search = functools.partial(self._read_searched, file)
                digit = _unless_failed(search, picture)
            results.append(self._result(file, _unless_failed(self._predictor.record, digit)))
        return results

    def _read_numbers(self, files: Sequence[InputFile]) -> list[BatchResult]:
        results = []
        for file, content in zip(files, self._contents(files), strict=True):
            picture = self._decode(file, content)
            number = _unless_failed(self._predictor.predict_all, picture)
            results.append(self._result(file, number))
        return results

    def _result(
        self, file: InputFile, fields: PredictionRecord | DigitsRecord | Failure
    ) -> BatchResult:
        if self._config.annotations:
            annotate = functools.partial(self._annotate, file, self._config.annotations)
            fields = _unless_failed(annotate, fields)
        values: Mapping[str, Any]
        if not isinstance(fields, Failure):
            values = fields
        elif fields.is_skipped:
            return skipped(file)
        else:
            values = {"error": fields.error}
        return to_record(file, values, scores=self._config.scores, multi=self._config.multi)

    def _annotate(self, file: InputFile, annotations: Annotations, record: Record) -> Record:
        annotations.write(file.file, images.decode_silently(_load(file)), record)
        return record

    def _read_searched(self, file: InputFile, prepared: Prepared) -> Digit:
        """Read a picture again: keeping all pictures of a chunk would take too much memory."""
        picture = images.decode_silently(_load(file))
        return recognition.read_searched(self._model, picture, prepared)


def _read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Prepare READAHEAD_BYTES of items before yielding the first.

    Loading many files, then decoding them, then preprocessing them is faster than file by
    file, where each step evicts the code of the others from the CPU caches.
    """
    waiting: list[Item] = []
    size = 0
    for item in items:
        waiting.append(item)
        if not isinstance(item, Failure):
            size += len(item) if isinstance(item, bytes) else item.gray.nbytes
        if size >= READAHEAD_BYTES:
            yield from waiting
            waiting, size = [], 0
    yield from waiting


def _load(file: InputFile) -> bytes:
    if file.error:
        raise InputError(file.error)
    if is_uri(file.file):
        return input_files.load("-", cast(BinaryIO, RemoteFile(file.file)))
    return input_files.load_regular(file.file)


def _unless_failed(step: Callable[[S], T], value: S | Failure) -> T | Failure:
    """Return the result of a step for one file, or the failure of this or an earlier step."""
    if isinstance(value, Failure):
        return value
    try:
        return step(value)
    except OutputError:  # an annotated picture cannot be written
        raise
    except InputError as error:
        return Failure(str(error))
    except MemoryError:
        return Failure("not enough memory to read the file")
    except Exception as error:
        return Failure(f"internal error, please report it: {error!r}")
