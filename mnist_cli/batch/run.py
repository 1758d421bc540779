"""A batch from its first file to its last record."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.sinks import Sink
from mnist_cli.batch.summary import Summary
from mnist_cli.errors import FileError, InputError
from mnist_cli.records import BatchRecord

ReadFiles = Callable[[Iterator[InputFile]], Generator[list[BatchRecord], None, None]]
"""Yields the records of all files, in order, some at a time: here, or on a cluster."""

NO_FILES = "there is no file to read: check the folder and --glob"


def run(
    files: Iterator[InputFile],
    read: ReadFiles,
    sink: Sink,
    on_progress: Callable[[Summary], None],
    *,
    fail_fast: bool = False,
) -> Summary:
    """Read all files that are not recorded yet; when it returns, each has its record.

    `on_progress` hears how far it has come. With `fail_fast` the first error of a file is raised,
    and not recorded.

    Raises:
        InputError: there are no files, or others than those that an earlier run has recorded.
        FileError: a file cannot be read; with `fail_fast` only.
        MnistError: whatever `read` raises, for instance because the model cannot be loaded.
        OutputError: the records cannot be written.
    """
    summary = Summary()
    for record in sink.recorded():
        file = next(files, None)
        if file is None or file.file != record["file"]:
            found = f"now {file.file} is in its place" if file else "now there are fewer files"
            raise InputError(
                f"{record['file']} is recorded, but {found}: the records that are there do not "
                "fit; remove them to begin anew"
            )
        summary.add(record)
    summary.resumed = summary.files
    with closing(read(files)) as answers:
        for records in answers:
            failed = [index for index, record in enumerate(records) if "error" in record]
            added = records[: failed[0]] if fail_fast and failed else records
            sink.add(added)
            for record in added:
                summary.add(record)
            on_progress(summary)
            if len(added) < len(records):
                raise FileError("{file}: {error}".format(**records[failed[0]]))
    if not summary.files:
        raise InputError(NO_FILES)
    sink.finish()
    return summary
