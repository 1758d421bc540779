"""Implements `mnist inspect-model`."""

import typer

from mnist_cli.commands import options
from mnist_cli.errors import ExitCode, ModelError
from mnist_cli.terminal import Terminal, write


def inspect_model(
    context: typer.Context,
    model: options.ModelArgument = None,
    model_dir: options.ModelDir = None,
    format: options.CardFormat = None,
) -> None:
    """Show a model's signatures, size, accuracy and runtime.

    Without a name, list all models, one per row. The list does not check whether models that are
    not compiled are supported; name a model to check it.

    \b
    Examples:
      mnist inspect-model
      mnist inspect-model t_cnn
      mnist inspect-model path/to/saved_model --format json | jq .signatures
    """
    from mnist_cli import inspection, output
    from mnist_cli.loader import find_model, find_models, no_models_error

    terminal: Terminal = context.obj
    as_text = output.wants_text(terminal.stdout, format)
    if as_text:
        from mnist_cli.text.models import write_model, write_models
    if model is not None:
        card = inspection.inspect(find_model(model, model_dir=model_dir), terminal.status)
        if as_text:
            write_model(terminal.stdout, card)
        else:
            write(terminal.stdout, output.json_lines([card]))
        return
    summaries, failed = [], False
    for found in find_models(model_dir):
        try:
            summaries.append(inspection.summarize(found))
        except ModelError as error:
            failed = True
            terminal.report("error", f"model {found.name}: {error}")
    if not summaries and not failed:
        raise no_models_error(model_dir)
    if as_text:
        write_models(terminal.stdout, summaries)
    else:
        write(terminal.stdout, output.json_lines(summaries))
    if failed:
        raise typer.Exit(ExitCode.MODEL)
