"""`mnist predict-batch`"""

import contextlib
import functools
import logging
import math
import os
from pathlib import Path
from typing import Annotated

import typer

from mnist_cli import __version__
from mnist_cli.commands import options
from mnist_cli.errors import ExitCode
from mnist_cli.option_types import DEFAULT_MODEL, BatchFormat
from mnist_cli.terminal import Terminal


def predict_batch(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR...",
            help="Folders, or single files; - is a list of paths on stdin. With --ray also URIs.",
        ),
    ],
    model: options.Model = DEFAULT_MODEL,
    model_dir: options.ModelDir = None,
    runtime: options.Runtime = "auto",
    preprocess: options.Preprocessing = "auto",
    glob: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Read only files of such names. Can be repeated.  [default: *]"
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option(help="Read the folders in a folder, too.")] = True,
    null: Annotated[
        bool, typer.Option("--null", "-0", help="Paths on stdin end with NUL, not line breaks.")
    ] = False,
    format: Annotated[
        BatchFormat | None,
        typer.Option(
            help="How to write records.  [default: by the name of --output; text to a terminal, "
            "else jsonl]"
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write into this file once it is complete. With --ray also DIR/ or a URI: the "
            "nodes write a folder of many files.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a batch with --output was interrupted.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first file that cannot be read.")
    ] = False,
    below: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            min=0,
            max=100,
            help="Write only failures, and answers that are uncertain or less probable.",
        ),
    ] = None,
    scores: options.Scores = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes read.  [default: one a core]"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Read on a Ray cluster: auto joins the one of this machine, HOST:PORT that one; "
            "local starts one for this batch.",
        ),
    ] = None,
) -> None:
    """Read the digits in all pictures of a folder.

    One record a file, sorted by path, written as it is ready. A file that cannot be read has a
    record with an error, and the exit code is 5 at the end.

    \b
    Examples:
      mnist predict-batch scans > digits.jsonl
      mnist predict-batch scans --output digits.csv --resume
      mnist predict-batch scans --glob '*.png' --below 90
      find scans -newer last -print0 | mnist predict-batch -0 -
      mnist predict-batch s3://bucket/scans --ray auto --output s3://bucket/digits/
    """
    if below is not None and math.isnan(below):
        raise typer.BadParameter("nan is no percentage", param_hint="--below")
    if resume and not output:
        raise typer.BadParameter("only a file can be gone on with", param_hint="--resume")
    if output and format == "text":
        raise typer.BadParameter("a file gets jsonl, csv or parquet", param_hint="--format")
    if format == "parquet" and not output:
        raise typer.BadParameter("parquet needs --output", param_hint="--format")
    from mnist_cli.batch import pool
    from mnist_cli.batch.config import ReaderConfig
    from mnist_cli.batch.listing import Listing, check_sources, output_file_ids
    from mnist_cli.batch.progress import ProgressBar
    from mnist_cli.batch.run import ReadFiles, run, run_sharded
    from mnist_cli.batch.sinks import FileSink, Sink, StreamSink, stream_writer
    from mnist_cli.batch.uris import is_uri, to_uri
    from mnist_cli.loader import find_model

    sharded = output is not None and (output.endswith("/") or is_uri(output))
    if not ray and (sharded or any(map(is_uri, sources))):
        raise typer.BadParameter("URIs, and folders to write into, need --ray")
    if sharded and format == "csv":
        raise typer.BadParameter("a folder gets jsonl or parquet", param_hint="--format")
    if sharded and (resume or fail_fast):
        raise typer.BadParameter(
            "a folder is written by many at a time, in no order: without --resume and --fail-fast",
            param_hint="--output",
        )
    terminal: Terminal = context.obj
    found = find_model(model, model_dir=model_dir)
    config = ReaderConfig(model, model_dir, runtime, preprocess, scores)
    check_sources(sources)
    excluded = output_file_ids(terminal.stdout, Path(output) if output and not sharded else None)
    listing = Listing(tuple(sources), tuple(glob or ()), recursive, null, excluded)
    files = listing.files(terminal.stdin)
    with contextlib.ExitStack() as stack:
        read: ReadFiles
        if ray:
            from mnist_cli.batch import cluster

            stack.enter_context(cluster.connect(ray))
            read = functools.partial(cluster.read_files, config=config, processes=processes)
        else:
            # TensorFlow takes all cores by itself.
            processes = processes or (_available_cores() if found.compiled() else 1)
            read = functools.partial(pool.read_files, config=config, processes=processes)
        sink: Sink
        if output and not sharded:
            settings = {
                "sources": sources,
                "glob": glob or [],
                "recursive": recursive,
                "model": f"{found.name} {found.fingerprint} {found.calibration}",
                "version": __version__,
                "preprocess": preprocess,
                "scores": scores,
            }
            file = FileSink(
                Path(output), format, settings, resume=resume, scores=scores, below=below
            )
            sink = stack.enter_context(file)
        bar = stack.enter_context(ProgressBar(terminal.stderr, listing.count))
        if output and sharded:
            from mnist_cli.batch.shards import Shards

            shards = Shards(to_uri(output), format or "jsonl", scores, below)
            shards.begin(source for source in sources if source != "-")
            write = functools.partial(
                cluster.write_shards, config=config, processes=processes, target=shards
            )
            summary = run_sharded(files, write, shards, bar.update)
        else:
            if not output:
                writer = stream_writer(terminal.stdout, format, scores)
                sink = StreamSink(bar.hidden_while(writer), below)
            summary = run(files, read, sink, bar.update, fail_fast=fail_fast)
    if logging.getLogger("mnist_cli").isEnabledFor(logging.WARNING):  # not with --quiet
        terminal.report("info", str(summary))
    if summary.failed:
        raise typer.Exit(ExitCode.FILES)


def _available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
