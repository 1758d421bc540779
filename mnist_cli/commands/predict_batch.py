"""`mnist predict-batch`"""

import logging
import math
from pathlib import Path
from typing import Annotated

import typer

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
    from mnist_cli.batch.config import ReaderConfig
    from mnist_cli.batch.job import Job
    from mnist_cli.batch.listing import Listing
    from mnist_cli.batch.shards import is_shard_folder

    _check_output(output, format, resume=resume, fail_fast=fail_fast)
    _check_ray(ray, sources, output)
    if below is not None and math.isnan(below):
        raise typer.BadParameter("nan is no percentage", param_hint="--below")
    job = Job(
        Listing(tuple(sources), tuple(glob or ()), recursive, null),
        ReaderConfig(model, model_dir, runtime, preprocess, scores),
        ray=ray,
        processes=processes,
        below=below,
        fail_fast=fail_fast,
    )
    terminal: Terminal = context.obj
    if not output:
        summary = job.to_stream(terminal, format)
    elif is_shard_folder(output):
        summary = job.to_shards(terminal, output, format)
    else:
        summary = job.to_file(terminal, Path(output), format, resume=resume)
    if logging.getLogger("mnist_cli").isEnabledFor(logging.WARNING):  # not with --quiet
        terminal.report("info", str(summary))
    if summary.failed:
        raise typer.Exit(ExitCode.FILES)


def _check_output(
    output: str | None, format: BatchFormat | None, *, resume: bool, fail_fast: bool
) -> None:
    from mnist_cli.batch.shards import is_shard_folder

    if not output:
        if resume:
            raise typer.BadParameter("only a file can be gone on with", param_hint="--resume")
        if format == "parquet":
            raise typer.BadParameter("parquet needs --output", param_hint="--format")
    elif format == "text":
        raise typer.BadParameter("a file gets jsonl, csv or parquet", param_hint="--format")
    elif is_shard_folder(output):
        if format == "csv":
            raise typer.BadParameter("a folder gets jsonl or parquet", param_hint="--format")
        if resume or fail_fast:
            raise typer.BadParameter(
                "a folder is written by many at a time, in no order: without --resume and "
                "--fail-fast",
                param_hint="--output",
            )


def _check_ray(ray: str | None, sources: list[str], output: str | None) -> None:
    from mnist_cli.batch.shards import is_shard_folder
    from mnist_cli.batch.uris import is_uri

    if not ray and (any(map(is_uri, sources)) or is_shard_folder(output or "")):
        raise typer.BadParameter("URIs, and folders to write into, need --ray")
