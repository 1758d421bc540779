"""The journal of a batch, which keeps its records until the output file is complete."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypedDict, cast

from mnist_cli.batch.results import BatchResult
from mnist_cli.errors import InputError, MnistError, OutputError
from mnist_cli.file_lock import lock
from mnist_cli.option_types import InputConvention, Preprocess
from mnist_cli.output import json_lines, to_json

# The start of every journal; other files are never overwritten.
SIGNATURE = {"journal": "mnist predict-batch"}
SIGNATURE_BYTES = to_json(SIGNATURE).encode().removesuffix(b"}")


class JournalSettings(TypedDict):
    """The settings that the records of a journal depend on."""

    sources: list[str]
    glob: list[str]
    recursive: bool
    model: str
    model_version: str
    """Fingerprint and calibration of the model."""
    version: str
    input: InputConvention | None
    preprocess: Preprocess
    scores: bool
    multi: bool
    annotate: str | None
    """The folder of annotated pictures."""


class Journal:
    """`.FILE.partial`: a line of JSON with SIGNATURE and the settings, then one for each file.

    Lines are only appended, so that a kill, a full disk or Ctrl-C can damage only the last line. A
    damaged line is dropped.
    """

    def __init__(self, target: Path, settings: JournalSettings, resume: bool) -> None:
        """Start the journal of a file, or continue the one of an interrupted batch.

        Raises:
            InputError: a journal exists, and `resume` is False or its settings differ.
            OutputError: the journal cannot be written, or another file has its name.
        """
        self.path = target.with_name(f".{target.name}.partial")
        try:
            self._file = open(self.path, "ab+", buffering=0, opener=_open_without_following)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error
        # Byte offsets: the end of the settings, and of the last complete line.
        self._header_end = self._valid_end = 0
        try:
            lock(self._file, wait=False)
            self._check_signature()
            self._start(settings, resume)
        except BlockingIOError as error:
            self._file.close()
            raise OutputError(f"{self.path} is in use by another batch") from error
        except OSError as error:
            self._file.close()
            raise OutputError(f"cannot lock or read {self.path}: {error.strerror}") from error
        except MnistError:
            self._file.close()
            raise

    def _check_signature(self) -> None:
        self._file.seek(0)
        start = self._file.read(len(SIGNATURE_BYTES))
        # The first write may have been cut off.
        if not SIGNATURE_BYTES.startswith(start):
            raise OutputError(
                f"{self.path} is not a journal of mnist", "move it, or choose another --output"
            )

    def _start(self, settings: JournalSettings, resume: bool) -> None:
        lines = list(islice(self._lines(), 2))
        if len(lines) < 2:  # no records: nothing is lost by starting over
            self._valid_end = 0
            self.add([json_lines([{**SIGNATURE, **settings}])])
            self._header_end = self._valid_end
            return
        header = lines[0]
        if not resume:
            raise InputError(
                f"{self.path} has the records of an interrupted batch",
                "continue with --resume, or delete the file to start over",
            )
        for name, value in settings.items():
            if header.get(name) != value:
                other = f"{name} {header.get(name)}, not {value}"
                if name == "model_version":
                    other = f"another version of the model {settings['model']}"
                raise InputError(
                    f"{self.path} was written with {other}",
                    "use the same options, or delete the file to start over",
                )

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.has_records:
            self.remove()
        self._file.close()

    @property
    def has_records(self) -> bool:
        """Whether it has records, which are those of an interrupted batch when it is opened."""
        return self._valid_end > self._header_end

    @property
    def temporary(self) -> Path:
        """Where the output file is written; the name is the same after a kill and `--resume`."""
        # Shorter than the name of the journal can be, so that the file system accepts it.
        return self.path.with_name(f".mnist-{os.fstat(self._file.fileno()).st_ino}.tmp")

    def remove(self) -> None:
        """Delete the journal; it cannot be used afterwards."""
        # Windows does not delete open files; elsewhere, no other batch must lock it meanwhile.
        if sys.platform == "win32":
            self._file.close()
        self.path.unlink(missing_ok=True)

    def results(self) -> Iterator[BatchResult]:
        """Yield the results of all files; exhaust it before the next `add`."""
        return cast(Iterator[BatchResult], islice(self._lines(), 1, None))

    def lines(self) -> Iterator[str]:
        """Yield the line of each file, which is valid if `results` or `add` came before."""
        with self._reader() as lines:
            lines.readline()
            yield from map(bytes.decode, lines)

    def add(self, lines: Iterable[str]) -> None:
        """Append the lines of files.

        Raises:
            OutputError: they cannot be written; earlier results are intact.
        """
        data = "".join(lines).encode()
        try:
            self._file.truncate(self._valid_end)
            rest = data
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._valid_end)
            raise OutputError(
                f"cannot write {self.path}: {error.strerror}", "continue with --resume"
            ) from error
        self._valid_end += len(data)

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the complete lines, from the start."""
        end = 0
        # After a power failure a line can contain anything.
        with self._reader() as lines, contextlib.suppress(ValueError):
            for line in lines:
                content = json.loads(line)
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                self._valid_end = max(end, self._valid_end)
                yield content

    def _reader(self) -> BinaryIO:
        reader = open(self._file.fileno(), "rb", closefd=False)
        reader.seek(0)
        return reader


def _open_without_following(path: str, flags: int) -> int:
    """Open or create a file; fails for a symbolic link, and never waits for a named pipe."""
    if sys.platform != "win32":  # which has neither flag
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK
    return os.open(path, flags, 0o666)
