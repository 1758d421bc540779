"""`mnist inspect-model`"""

from typing import Annotated, Literal

import typer

from mnist_cli.commands import options
from mnist_cli.terminal import Terminal


def inspect_model(
    context: typer.Context,
    model: options.ModelArgument = None,
    model_dir: options.ModelDir = None,
    format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(help="How to write it.  [default: text to a terminal, else json]"),
    ] = None,
) -> None:
    """Tell what a model is: signatures, variables, accuracy, sizes, and which runtime will run it.

    Without a name, list all models, one row each.

    \b
    Examples:
      mnist inspect-model
      mnist inspect-model t_cnn
      mnist inspect-model path/to/saved_model --format json | jq .signatures
    """
    from mnist_cli import inspection, output
    from mnist_cli.loader import find_model, find_models

    terminal: Terminal = context.obj
    as_text = format == "text" or (format is None and terminal.stdout.isatty())
    if model is None:
        cards = [inspection.summary(found) for found in find_models(model_dir)]
    else:
        cards = [inspection.inspect(find_model(model, model_dir=model_dir))]
    if not as_text:
        for card in cards:
            output.write_json(terminal.stdout, card)
        return
    from mnist_cli import text

    if model is None:
        text.write_models(terminal.stdout, cards)
    else:
        text.write_model(terminal.stdout, cards[0])
