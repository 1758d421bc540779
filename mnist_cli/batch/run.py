"""Runs a batch from its first file to its last record."""

import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from mnist_cli.batch.encoding import EncodedResults, decode, is_skipped
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.results import BatchResult
from mnist_cli.batch.shards import SUCCESS_FILE, Shards
from mnist_cli.batch.summary import Summary
from mnist_cli.batch.writers import WriteLines
from mnist_cli.errors import InputError, UnreadableFileError
from mnist_cli.terminal import printable

ReadFiles = Callable[[Iterator[InputFile]], Generator[EncodedResults, None, None]]
"""Yields the results of all files, in order, one chunk at a time."""
WriteShards = Callable[[Iterator[InputFile]], Generator[Summary, None, None]]
"""Writes the records of all files into shards; yields the counts of each shard."""
OnProgress = Callable[[Summary], None]
"""Called with the counts so far after each chunk."""

logger = logging.getLogger(__name__)


class NoPicturesError(InputError):
    """A batch has no pictures."""


def run(
    files: Iterator[InputFile],
    read_files: ReadFiles,
    write: WriteLines,
    on_progress: OnProgress,
    *,
    recorded: Iterable[BatchResult] = (),
    fail_fast: bool = False,
) -> Summary:
    """Read all files except those that an interrupted run has `recorded`, and write their results.

    Raises:
        NoPicturesError: there are no pictures.
        InputError: the files are not the same as in the interrupted run.
        UnreadableFileError: with `fail_fast`, a file cannot be read; its record is not written.
        MnistError: whatever `read_files` and `write` raise.
    """
    summary = _skip_recorded(files, recorded)
    with closing(read_files(files)) as chunks:
        for lines, counts in chunks:
            failed = next(_failures(lines)) if fail_fast and counts.failed else None
            write(lines[:failed])
            if counts.skipped:
                log_skipped(lines[:failed])
            if failed is not None:
                raise UnreadableFileError("{file}: {error}".format(**decode(lines[failed])))
            summary.merge(counts)
            on_progress(summary)
    _check_pictures(summary)
    return summary


def _failures(lines: Iterable[str]) -> Iterator[int]:
    """Yield the indices of the pictures that could not be read."""
    for index, line in enumerate(lines):
        if not is_skipped(line) and decode(line)["error"] is not None:
            yield index


def log_skipped(lines: Iterable[str]) -> None:
    """Log the files that are not pictures."""
    for line in lines:
        if is_skipped(line):
            logger.info("skipped %s: not a picture", printable(json.loads(line)["file"]))


def _check_pictures(summary: Summary) -> None:
    if not summary.files:
        raise NoPicturesError("no files to read", "check the folder and --glob")
    if summary.skipped == summary.files:
        raise NoPicturesError(
            f"no pictures to read: none of the files ({summary.files:,}) is a picture by name or "
            "content",
            "check the folder and --glob",
        )


def _skip_recorded(files: Iterator[InputFile], recorded: Iterable[BatchResult]) -> Summary:
    """Advance `files` past the recorded ones, and count those."""
    summary = Summary()
    for result in recorded:
        file = next(files, None)
        if file is None or file.utf8_name != result["file"]:
            found = printable(file.file) if file else "no more files"
            raise InputError(
                f"cannot resume, the files have changed: expected {printable(result['file'])}, "
                f"found {found}",
                "delete the .partial file to start over",
            )
        summary.add(result)
    summary.resumed = summary.files
    return summary


def run_sharded(
    files: Iterator[InputFile], write_shards: WriteShards, shards: Shards, on_progress: OnProgress
) -> Summary:
    """Read all files and write their records with `write_shards`, then mark the folder as complete.

    Raises:
        NoPicturesError: there are no pictures.
        MnistError: whatever `write_shards` raises.
        OutputError: the folder cannot be marked as complete.
    """
    summary = Summary()
    try:
        with closing(write_shards(files)) as shard_summaries:
            for shard_summary in shard_summaries:
                summary.merge(shard_summary)
                on_progress(summary)
        _check_pictures(summary)
        shards.finish()
    except BaseException:
        if summary.files:
            logger.warning("%s is incomplete and has no %s", shards.uri, SUCCESS_FILE)
        raise
    return summary
