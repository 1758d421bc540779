"""`mnist predict-batch`"""

import contextlib
import logging
import math
import os
from pathlib import Path
from typing import Annotated

import typer

from mnist_cli.choices import DEFAULT_MODEL, BatchFormat
from mnist_cli.commands import options
from mnist_cli.errors import ExitCode
from mnist_cli.terminal import Terminal


def predict_batch(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR...", help="Folders, or single files; - is a list of paths on stdin."
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
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write into this file once it is complete."
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
            help="Write only failures, and answers with less probability.",
        ),
    ] = None,
    scores: options.Scores = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes read.  [default: one a core]"),
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
    """
    if below is not None and math.isnan(below):
        raise typer.BadParameter("nan is no percentage", param_hint="--below")
    if resume and not output_file:
        raise typer.BadParameter("only a file can be gone on with", param_hint="--resume")
    if output_file and format == "text":
        raise typer.BadParameter("a file gets jsonl, csv or parquet", param_hint="--format")
    if format == "parquet" and not output_file:
        raise typer.BadParameter("parquet needs --output", param_hint="--format")
    from mnist_cli.batch.listing import Listing, check, identities
    from mnist_cli.batch.progress import Bar
    from mnist_cli.batch.reading import Reading
    from mnist_cli.batch.run import run
    from mnist_cli.batch.sinks import File, Sink, Stream, stream_writer
    from mnist_cli.loader import find_model

    terminal: Terminal = context.obj
    check(sources)
    found = find_model(model, model_dir=model_dir)
    own = identities(terminal.stdout, output_file)
    listing = Listing(tuple(sources), tuple(glob or ()), recursive, null, own)
    with contextlib.ExitStack() as stack:
        sink: Sink
        if output_file:
            settings = {
                "sources": sources,
                "glob": glob or [],
                "recursive": recursive,
                "model": f"{found.name} {found.fingerprint}",
                "preprocess": preprocess,
                "scores": scores,
            }
            file = File(output_file, format, settings, resume=resume, scores=scores, below=below)
            sink = stack.enter_context(file)
        bar = stack.enter_context(Bar(terminal.stderr, listing.count))
        if not output_file:
            write = stream_writer(terminal.stdout, format, scores)
            sink = Stream(bar.aside(write), below)
        summary = run(
            listing.files(terminal.stdin),
            Reading(model, model_dir, runtime, preprocess, scores),
            sink,
            bar.show,
            # TensorFlow takes all cores by itself.
            processes=processes or (_cores() if found.compiled() else 1),
            fail_fast=fail_fast,
        )
    if logging.getLogger("mnist_cli").isEnabledFor(logging.WARNING):  # not with --quiet
        terminal.report("info", str(summary))
    if summary.failed:
        raise typer.Exit(ExitCode.FILES)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
