"""A batch job: checks its input, and runs it into a stream, a file or a folder of shards."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mnist_cli import __version__
from mnist_cli.batch import pool
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.journal import JournalSettings
from mnist_cli.batch.listing import Listing, output_file_ids
from mnist_cli.batch.progress import ProgressBar
from mnist_cli.batch.run import ReadFiles, run, run_sharded
from mnist_cli.batch.shards import Shards
from mnist_cli.batch.sinks import FileSink, StreamSink, stream_writer
from mnist_cli.batch.summary import Summary
from mnist_cli.batch.uris import to_uri
from mnist_cli.loader import find_model
from mnist_cli.option_types import BatchFormat
from mnist_cli.terminal import Terminal


@dataclass
class Job:
    """The files to read and how to read them, with one method for each kind of output.

    The methods show their progress on `terminal.stderr`, and raise what `run` or `run_sharded`
    raises.
    """

    listing: Listing
    reader: ReaderConfig
    ray: str | None = None
    """The address of a Ray cluster that reads the files instead of this machine."""
    processes: int | None = None
    """The number of worker processes; by default one per core."""
    below: float | None = None
    """If given, only records that need review are written; a percentage as in `needs_review`."""
    fail_fast: bool = False
    """Whether to stop at the first file that cannot be read."""

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
        listing = self._listing_without(terminal)
        with self._readers() as read_files, ProgressBar(terminal.stderr, listing.count) as bar:
            write = stream_writer(terminal.stdout, format, self.reader.scores)
            sink = StreamSink(bar.hidden_while(write), self.below)
            files = listing.files(terminal.stdin)
            return run(files, read_files, sink, bar.update, fail_fast=self.fail_fast)

    def to_file(
        self, terminal: Terminal, target: Path, format: BatchFormat | None, *, resume: bool
    ) -> Summary:
        """Write records into a file, which gets its name when the batch is complete."""
        listing = self._listing_without(terminal, target)
        with (
            self._readers() as read_files,
            FileSink(
                target,
                format,
                self._journal_settings(),
                resume=resume,
                scores=self.reader.scores,
                below=self.below,
            ) as sink,
            ProgressBar(terminal.stderr, listing.count) as bar,
        ):
            files = listing.files(terminal.stdin)
            return run(files, read_files, sink, bar.update, fail_fast=self.fail_fast)

    def to_shards(self, terminal: Terminal, folder: str, format: BatchFormat | None) -> Summary:
        """Let the nodes of the Ray cluster write records into a folder, a path or a URI."""
        from mnist_cli.batch import cluster

        listing = self._listing_without(terminal)
        shards = Shards(to_uri(folder), format or "jsonl", self.reader.scores, self.below)
        with self._readers(), ProgressBar(terminal.stderr, listing.count) as bar:
            shards.create(listing.sources)
            write_shards = functools.partial(
                cluster.write_shards, config=self.reader, processes=self.processes, shards=shards
            )
            return run_sharded(listing.files(terminal.stdin), write_shards, shards, bar.update)

    def _listing_without(self, terminal: Terminal, target: Path | None = None) -> Listing:
        """The listing without the files that this job writes."""
        excluded = output_file_ids(terminal.stdout, target)
        return dataclasses.replace(self.listing, excluded=excluded)

    @contextlib.contextmanager
    def _readers(self) -> Iterator[ReadFiles]:
        """Yield the function that reads files, connected to the cluster if there is one."""
        if self.ray:
            from mnist_cli.batch import cluster

            with cluster.connect(self.ray):
                yield functools.partial(
                    cluster.read_files, config=self.reader, processes=self.processes
                )
        else:
            # TensorFlow uses all cores by itself.
            default = pool.available_cores() if self._model.compiled() else 1
            yield functools.partial(
                pool.read_files, config=self.reader, processes=self.processes or default
            )

    def _journal_settings(self) -> JournalSettings:
        return {
            "sources": list(self.listing.sources),
            "glob": list(self.listing.globs),
            "recursive": self.listing.recursive,
            "model": f"{self._model.name} {self._model.fingerprint} {self._model.calibration}",
            "version": __version__,
            "preprocess": self.reader.preprocess,
            "scores": self.reader.scores,
        }
