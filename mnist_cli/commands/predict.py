"""Implements `mnist predict`."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from mnist_cli.commands import options
from mnist_cli.errors import ExitCode, UsageError
from mnist_cli.option_types import DEFAULT_MODEL, Format
from mnist_cli.terminal import Terminal, printable


def predict(
    context: typer.Context,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Picture files; - reads stdin.")
    ],
    model: options.Model = DEFAULT_MODEL,
    model_dir: options.ModelDir = None,
    runtime: options.Runtime = "auto",
    input: options.Input = None,
    preprocess: options.Preprocessing = "auto",
    format: Annotated[Format | None, typer.Option(help=options.RECORD_FORMAT_HELP)] = None,
    output: Annotated[
        str | None,
        options.output_option(
            help="Write to FILE, which appears when all pictures are read; - is stdout.",
        ),
    ] = None,
    scores: options.Scores = False,
    show: Annotated[
        bool, typer.Option("--show", help="Draw the picture as the model sees it, with the scores.")
    ] = False,
    multi: options.Multi = False,
    min_probability: Annotated[
        float,
        typer.Option(
            parser=options.percent,
            metavar="PERCENT",
            help="Mark results below this probability as uncertain.",
        ),
    ] = 0.0,
) -> None:
    """Read the digit in each picture, or all digits with --multi.

    The digits can be dark on light or light on dark, and of any size. Supported formats: PNG, JPEG,
    WebP, AVIF, JPEG 2000, BMP, GIF, TIFF, ICO, PPM. Results are text on a terminal, otherwise JSON,
    one object per line.
    With --multi, a picture without digits is not an error: its text is empty.

    \b
    Examples:
      mnist predict MNIST-7.png
      mnist predict --show photo.jpg
      mnist predict --multi house-number.jpg | jq -r .text
      mnist predict *.png | jq -r 'select(.probability > 99) | .prediction'
      curl -s https://example.org/7.png | mnist predict -
    """
    target = Path(output) if output and output != "-" else None
    options.check_multi(multi, preprocess)
    _check_show(show, format, target)
    from mnist_cli.api import DigitModel
    from mnist_cli.loader import load_model
    from mnist_cli.output import check_columns, record_writer, target_format, text_file
    from mnist_cli.predictor import Predictor

    terminal: Terminal = context.obj
    selected = target_format(target, format, ("json", "jsonl", "csv")) if target else format
    check_columns(selected, scores=scores, multi=multi)
    loaded = load_model(
        model, model_dir=model_dir, runtime=runtime, input=input, status=terminal.status
    )
    predictor = Predictor(DigitModel(loaded), preprocess, scores or show, show, min_probability)
    failed = False
    stream = text_file(target) if target else contextlib.nullcontext(terminal.stdout)
    with stream as stdout:
        write_records = record_writer(
            stdout, "text" if show else selected, scores=scores, multi=multi
        )
        for file in options.expand_wildcards(images):
            record = predictor.predict_file(file, terminal.stdin, multi=multi)
            if "error" in record:
                failed = True
                terminal.report("error", f"{printable(file)}: {record['error']}")
            write_records([record])
    if failed:
        raise typer.Exit(ExitCode.INPUT)


def _check_show(show: bool, format: Format | None, target: Path | None) -> None:
    if show and format not in (None, "text"):
        raise UsageError(f"--show cannot be used with --format {format}")
    if show and target:
        raise UsageError("--show cannot be used with --output")
