"""Implements `mnist evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from mnist_cli.commands import options
from mnist_cli.option_types import DEFAULT_MODEL
from mnist_cli.terminal import Terminal, progress, write


def evaluate(
    context: typer.Context,
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder with the IDX files of MNIST, or with subfolders 0 to 9 of pictures.",
        ),
    ],
    model: Annotated[
        str,
        typer.Argument(
            metavar="[MODEL]",
            help=options.MODEL_HELP,
            envvar="MNIST_MODEL",
            autocompletion=options.complete_model,
        ),
    ] = DEFAULT_MODEL,
    model_dir: options.ModelDir = None,
    runtime: options.Runtime = "auto",
    input: options.Input = None,
    preprocess: options.Preprocessing = "auto",
    format: options.CardFormat = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Draw the confusion matrix, reliability diagram and mistakes to this file.",
        ),
    ] = None,
) -> None:
    """Measure a model on labelled pictures.

    Reports accuracy, recall of each digit, confusion matrix, expected calibration error and the
    most confident mistakes. With the IDX files of MNIST, the test set is used as it is. Pictures in
    subfolders are preprocessed as by `mnist predict`, with the same --preprocess; those in which it
    finds no digit count as misread. Other files are left out.

    \b
    Download the test set of MNIST into the folder mnist:
      mkdir -p mnist && cd mnist
      curl -O \\
        'https://storage.googleapis.com/cvdf-datasets/mnist/t10k-{images-idx3,labels-idx1}-ubyte.gz'
      cd ..

    \b
    Examples:
      mnist evaluate t_cnn --data mnist
      mnist evaluate path/to/saved_model --data my-digits --plot evaluation.png
      mnist evaluate t_ffnn --data mnist --format json | jq .accuracy
    """
    from mnist_cli import evaluation, output
    from mnist_cli.loader import load_model

    terminal: Terminal = context.obj
    if plot:
        from mnist_cli.plot import check_matplotlib, draw

        check_matplotlib()
    loaded = load_model(
        model, model_dir=model_dir, runtime=runtime, input=input, status=terminal.status
    )
    dataset = evaluation.read_dataset(data)
    with progress(terminal.stderr, "reading", len(dataset.labels)) as on_progress:
        result = evaluation.evaluate(loaded, dataset, on_progress, preprocess)
    if output.wants_text(terminal.stdout, format):
        from mnist_cli.text.models import write_evaluation

        write_evaluation(terminal.stdout, result.record)
    else:
        write(terminal.stdout, output.json_lines([result.record]))
    if plot:
        draw(plot, result)
