"""Implements `mnist predict-batch`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from mnist_cli.commands import options
from mnist_cli.errors import ExitCode, UsageError
from mnist_cli.option_types import DEFAULT_MODEL, BatchFormat
from mnist_cli.terminal import Terminal


def predict_batch(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR...",
            help="Folders or files; - reads a list of paths from stdin. With --ray, URIs work too.",
        ),
    ],
    model: options.Model = DEFAULT_MODEL,
    model_dir: options.ModelDir = None,
    runtime: options.Runtime = "auto",
    input: options.Input = None,
    preprocess: options.Preprocessing = "auto",
    glob: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Read only files in DIR with a matching name, ignoring case. Can be repeated.  "
            "[default: *]",
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option(help="Read subfolders, too.")] = True,
    null: Annotated[
        bool,
        typer.Option("--null", "-0", help="Paths on stdin end with NUL instead of a newline."),
    ] = False,
    format: Annotated[
        BatchFormat | None,
        typer.Option(help=options.RECORD_FORMAT_HELP),
    ] = None,
    output: Annotated[
        str | None,
        options.output_option(
            help="Write to FILE, which appears when the batch is complete; - is stdout. With --ray "
            "also DIR/ or a URI: a folder into which the nodes write many files.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted batch with --output FILE.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first file with an error.")
    ] = False,
    below: Annotated[
        float | None,
        typer.Option(
            parser=options.percent,
            metavar="PERCENT",
            help="Write only what needs review: errors, uncertain digits, digits with a lower "
            "probability, and pictures without digits.",
        ),
    ] = None,
    multi: options.Multi = False,
    scores: options.Scores = False,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write each picture, with the boxes and answers of its digits, as PNG into "
            "DIR, which must be empty.",
        ),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="After the files that exist, read those that appear in the folders or change, "
            "until Ctrl-C (exit code 130).",
        ),
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Number of worker processes.  [default: one per core]"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Read on a Ray cluster: auto for the one this machine belongs to, HOST:PORT for "
            "another, local to start one for this batch.",
        ),
    ] = None,
) -> None:
    """Read the digit in each picture of a folder, or all digits with --multi.

    Writes one record per picture, sorted by path, as soon as it is ready. A picture that cannot be
    read gets a record with an error; the exit code is then 5. Other files are skipped.

    \b
    Examples:
      mnist predict-batch scans > digits.jsonl
      mnist predict-batch scans --output digits.csv --resume
      mnist predict-batch scans --glob '*.png' --below 90
      mnist predict-batch scans --watch > digits.jsonl
      find scans -newer last -print0 | mnist predict-batch -0 -
      mnist predict-batch s3://bucket/scans --ray auto --output s3://bucket/digits/
    """
    from mnist_cli.batch.annotations import Annotations
    from mnist_cli.batch.config import ReaderConfig
    from mnist_cli.batch.job import Job
    from mnist_cli.batch.listing import Listing
    from mnist_cli.batch.shards import is_shard_folder

    sources = options.expand_wildcards(sources)
    if output == "-":
        output = None
    if format == "json":
        format = "jsonl"
    to_folder = output is not None and is_shard_folder(output)
    options.check_multi(multi, preprocess)
    _check_output(output, to_folder, format, resume, fail_fast)
    if not ray:
        _check_local(sources, to_folder)
    if annotate and ray:
        raise UsageError("--annotate cannot be used with --ray")
    if watch:
        _check_watch(sources, output, fail_fast, processes, ray)
    annotations = Annotations(annotate, tuple(sources)) if annotate else None
    job = Job(
        Listing(tuple(sources), tuple(glob or ()), recursive, null),
        ReaderConfig(model, model_dir, runtime, input, preprocess, scores, multi, annotations),
        ray=ray,
        processes=processes,
        below=below,
        fail_fast=fail_fast,
    )
    terminal: Terminal = context.obj
    if watch:
        job.watch(terminal, format)
        return
    if not output:
        summary = job.to_stream(terminal, format)
    elif to_folder:
        summary = job.to_shards(terminal, output, format)
    else:
        summary = job.to_file(terminal, Path(output), format, resume=resume)
    if logging.getLogger("mnist_cli").isEnabledFor(logging.WARNING):  # not with --quiet
        if summary.several_pages:
            terminal.report("warning", summary.pages_warning)
        terminal.report("info", str(summary))
    if summary.failed:
        raise typer.Exit(ExitCode.FILES)


def _check_output(
    output: str | None,
    to_folder: bool,
    format: BatchFormat | None,
    resume: bool,
    fail_fast: bool,
) -> None:
    if not output:
        if resume:
            raise UsageError("--resume requires --output FILE")
        if format == "parquet":
            raise UsageError("--format: parquet requires --output FILE")
        return
    if not to_folder:
        return
    if format not in (None, "jsonl", "parquet"):
        raise UsageError(
            f"--format: {format} cannot be written to {output}", "use jsonl or parquet"
        )
    if resume or fail_fast:
        raise UsageError("--output: a folder cannot be combined with --resume or --fail-fast")


def _check_local(sources: list[str], to_folder: bool) -> None:
    from mnist_cli.batch.uris import is_uri

    if to_folder or any(map(is_uri, sources)):
        raise UsageError("URIs and output folders require --ray")


def _check_watch(
    sources: list[str],
    output: str | None,
    fail_fast: bool,
    processes: int | None,
    ray: str | None,
) -> None:
    excluded = {
        "--output": output,
        "--fail-fast": fail_fast,
        "--processes": processes,
        "--ray": ray,
        "a list of paths on stdin": "-" in sources,
    }
    for name, is_used in excluded.items():
        if is_used:
            raise UsageError(f"--watch cannot be used with {name}")
