"""A batch job: which files to read, how to read them, and where to write the records."""

import contextlib
import dataclasses
import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist_cli import __version__, output
from mnist_cli.batch import pool, writers
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.encoding import select_records
from mnist_cli.batch.journal import Journal, JournalSettings
from mnist_cli.batch.listing import InputFile, Listing, output_file_ids
from mnist_cli.batch.progress import ProgressBar
from mnist_cli.batch.run import NoPicturesError, ReadFiles, log_skipped, run, run_sharded
from mnist_cli.batch.shards import Shards
from mnist_cli.batch.summary import Summary
from mnist_cli.batch.uris import to_uri
from mnist_cli.batch.watch import watch
from mnist_cli.batch.writers import WriteLines
from mnist_cli.formats import SEVERAL_PAGES
from mnist_cli.loader import find_model
from mnist_cli.option_types import BatchFormat
from mnist_cli.terminal import NOTICE, Terminal, printable

logger = logging.getLogger(__name__)


@dataclass
class Job:
    """The files to read and how to read them, with one method for each kind of output.

    The methods show their progress on `terminal.stderr`, and raise what `run` or `run_sharded`
    raises.
    """

    listing: Listing
    reader: ReaderConfig
    ray: str | None = None
    """The address of a Ray cluster; None to read on this machine."""
    processes: int | None = None
    """The number of worker processes; by default one per core."""
    below: float | None = None
    """Write only the records that need review, with this limit in percent; None for all."""
    fail_fast: bool = False
    """Stop at the first file that cannot be read."""

    def __post_init__(self) -> None:
        """Find the model and check the sources.

        Raises:
            ModelError: there is no such model.
            InputError: a source does not exist.
        """
        self._model = find_model(self.reader.model, model_dir=self.reader.model_dir)
        self.listing.check()

    def to_stream(self, terminal: Terminal, format: BatchFormat | None) -> Summary:
        """Write records to `terminal.stdout`, each as soon as it is ready."""
        self._check_columns(format)
        with self._session(terminal) as (files, read_files, bar):
            write = self._selecting(bar.hidden_while(self._start_stream(terminal, format)))
            return run(files, read_files, write, bar.update, fail_fast=self.fail_fast)

    def watch(self, terminal: Terminal, format: BatchFormat | None) -> None:
        """Write the records of all files, and of those that appear later, until Ctrl-C."""
        self._check_columns(format)
        excluded = output_file_ids(terminal.stdout, None)
        listing = dataclasses.replace(self.listing, excluded=excluded)
        with pool.WorkerProcess(self.reader) as process:
            process.read([])  # errors of the model are reported at once
            write = self._selecting(self._start_stream(terminal, format))
            logger.log(NOTICE, "watching %s (Ctrl-C stops)", ", ".join(listing.sources))
            for file in watch(lambda: listing.files(terminal.stdin)):
                lines, counts = process.read([file])
                log_skipped(lines)
                if counts.several_pages:
                    logger.warning(SEVERAL_PAGES, printable(file.file))
                write(lines)

    def to_file(
        self, terminal: Terminal, target: Path, format: BatchFormat | None, *, resume: bool
    ) -> Summary:
        """Collect records in a journal, and write the file when the batch is complete."""
        format = writers.check_target(target, format)
        self._check_columns(format)
        with (
            self._session(terminal, target) as (files, read_files, bar),
            Journal(target, self._journal_settings(), resume) as journal,
        ):
            self._create_annotations(is_resumed=journal.has_records)
            try:
                summary = run(
                    files,
                    read_files,
                    journal.add,
                    bar.update,
                    recorded=journal.results(),
                    fail_fast=self.fail_fast,
                )
            except NoPicturesError:
                journal.remove()
                raise
            writers.write_journal(
                journal, target, format, self.reader.scores, self.below, self.reader.multi
            )
            journal.remove()
            return summary

    def to_shards(self, terminal: Terminal, folder: str, format: BatchFormat | None) -> Summary:
        """Let the nodes of the Ray cluster write records into a folder, a path or a URI."""
        from mnist_cli.batch import cluster

        self._check_columns(format)
        reader = self.reader
        shards = Shards(to_uri(folder), format or "jsonl", reader.scores, self.below, reader.multi)
        with self._session(terminal) as (files, _, bar):
            shards.create(self.listing.sources)
            write_shards = functools.partial(
                cluster.write_shards, config=self.reader, processes=self.processes, shards=shards
            )
            return run_sharded(files, write_shards, shards, bar.update)

    @contextlib.contextmanager
    def _session(
        self, terminal: Terminal, target: Path | None = None
    ) -> Iterator[tuple[Iterator[InputFile], ReadFiles, ProgressBar]]:
        """Yield the files to read, the function that reads them, and the progress bar."""
        excluded = output_file_ids(terminal.stdout, target)
        listing = dataclasses.replace(self.listing, excluded=excluded)
        with self._connected() as read_files, ProgressBar(terminal.stderr, listing.count) as bar:
            yield listing.files(terminal.stdin), read_files, bar

    @contextlib.contextmanager
    def _connected(self) -> Iterator[ReadFiles]:
        """Yield the function that reads files, here or on the cluster."""
        if self.ray:
            from mnist_cli.batch import cluster

            with cluster.connect(self.ray):
                yield functools.partial(
                    cluster.read_files, config=self.reader, processes=self.processes
                )
        else:
            # TensorFlow uses all cores by itself.
            default = pool.available_cores() if any(self._model.compiled()) else 1
            yield functools.partial(
                pool.read_files, config=self.reader, processes=self.processes or default
            )

    def _start_stream(self, terminal: Terminal, format: BatchFormat | None) -> WriteLines:
        """Return the function that writes records to `terminal.stdout`."""
        self._create_annotations()
        return writers.stream_writer(
            terminal.stdout, format, scores=self.reader.scores, multi=self.reader.multi
        )

    def _selecting(self, write: WriteLines) -> WriteLines:
        """Return a function that writes those of some results that are not left out."""

        def write_selected(lines: Sequence[str]) -> None:
            if selected := list(select_records(lines, self.below)):
                write(selected)

        return write_selected

    def _create_annotations(self, *, is_resumed: bool = False) -> None:
        if self.reader.annotations:
            self.reader.annotations.create(is_resumed=is_resumed)

    def _check_columns(self, format: BatchFormat | None) -> None:
        output.check_columns(format, scores=self.reader.scores, multi=self.reader.multi)

    def _journal_settings(self) -> JournalSettings:
        annotations = self.reader.annotations
        return {
            "sources": list(self.listing.sources),
            "glob": list(self.listing.globs),
            "recursive": self.listing.recursive,
            "model": self._model.name,
            "model_version": f"{self._model.fingerprint} {self._model.calibration}",
            "version": __version__,
            "input": self.reader.input,
            "preprocess": self.reader.preprocess,
            "scores": self.reader.scores,
            "multi": self.reader.multi,
            "annotate": str(annotations.folder) if annotations else None,
        }
