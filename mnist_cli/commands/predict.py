"""`mnist predict`"""

import math
from typing import Annotated

import typer

from mnist_cli.commands import options
from mnist_cli.errors import ExitCode, InputError
from mnist_cli.option_types import DEFAULT_MODEL, Format
from mnist_cli.terminal import Terminal, printable


def predict(
    context: typer.Context,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Picture files; - is stdin.")
    ],
    model: options.Model = DEFAULT_MODEL,
    model_dir: options.ModelDir = None,
    runtime: options.Runtime = "auto",
    preprocess: options.Preprocessing = "auto",
    format: Annotated[
        Format | None,
        typer.Option(help="How to write results.  [default: text to a terminal, else json]"),
    ] = None,
    scores: options.Scores = False,
    show: Annotated[
        bool, typer.Option("--show", help="Draw the picture as the model sees it, and the scores.")
    ] = False,
    multi: Annotated[
        bool, typer.Option("--multi", help="Read all digits of each picture, in reading order.")
    ] = False,
    min_probability: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", min=0, max=100, help="Mark answers below this as uncertain."
        ),
    ] = 0.0,
) -> None:
    """Read the digit in each picture, or with --multi all digits.

    Dark on light or light on dark, of any size: PNG, JPEG, WebP, BMP, GIF, TIFF, PPM. A terminal
    gets text, a pipe or a file gets JSON, one object a line.

    \b
    Examples:
      mnist predict MNIST-7.png
      mnist predict --show photo.jpg
      mnist predict --multi house-number.jpg | jq -r .text
      mnist predict *.png | jq -r 'select(.probability > 99) | .prediction'
      curl -s https://example.org/7.png | mnist predict -
    """
    if show and format not in (None, "text"):
        raise typer.BadParameter(f"it draws text, not {format}", param_hint="--show")
    if multi:
        for option, wanted in (("show", show), ("format", format == "csv")):
            if wanted:
                raise typer.BadParameter(
                    "--multi gives text or json, several digits a picture", param_hint=f"--{option}"
                )
        if preprocess == "plain":
            raise typer.BadParameter("--multi frames each digit", param_hint="--preprocess")
    if math.isnan(min_probability):
        raise typer.BadParameter("nan is no percentage", param_hint="--min-probability")
    from mnist_cli import images as pictures
    from mnist_cli import output, prediction, records, reshape
    from mnist_cli.loader import load_model

    terminal: Terminal = context.obj
    write_records = output.record_writer(terminal.stdout, "text" if show else format, scores=scores)
    loaded = load_model(model, model_dir=model_dir, runtime=runtime)
    failed = False
    for file in images:
        try:
            pixels = pictures.read(file, terminal.stdin)
            if multi:
                from mnist_cli import several  # not for those who have one digit

                found = records.digits_record(
                    several.read(loaded, pixels),
                    model=loaded.name,
                    scores=scores,
                    min_probability=min_probability,
                )
                write_records([{**found, "file": file}])
                continue
            batch = reshape.preprocess_batch([pixels], preprocess)
        except InputError as error:
            failed = True
            terminal.report("error", f"{printable(file)}: {error}")
            write_records([{"file": file, "error": str(error)}])
            continue
        [answer] = prediction.predict(loaded, batch)
        record = records.prediction_record(
            answer,
            model=loaded.name,
            scores=scores and not show,
            min_probability=min_probability,
        )
        write_records([{**record, "file": file}])
        if show:
            from mnist_cli.text import write_picture

            write_picture(terminal.stdout, batch, answer.scores)
    if failed:
        raise typer.Exit(ExitCode.INPUT)
