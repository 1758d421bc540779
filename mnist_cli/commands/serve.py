"""Implements `mnist serve`."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from mnist_cli.commands import options
from mnist_cli.errors import UsageError
from mnist_cli.option_types import DEFAULT_MODEL, LogFormat
from mnist_cli.terminal import Terminal


def _set_log_format(context: typer.Context, value: LogFormat) -> LogFormat:
    terminal: Terminal | None = context.obj
    if terminal is not None:  # None while the shell completes options
        terminal.log_format = value
    return value


def serve(
    context: typer.Context,
    model: options.Model = DEFAULT_MODEL,
    model_dir: options.ModelDir = None,
    input: options.Input = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8000,
    threads: Annotated[
        int,
        typer.Option(
            min=1,
            help="Worker threads of each process. 1 is fastest; with more, large pictures do not "
            "delay small ones.",
        ),
    ] = 1,
    workers: Annotated[
        int,
        typer.Option(min=1, max=64, help="Processes that share the port; only 1 on Windows."),
    ] = 1,
    url_prefix: Annotated[
        str,
        typer.Option(metavar="/PATH", help="URL path under which a proxy publishes the server."),
    ] = "",
    cors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Origin that may send cross-origin requests; * allows all. Can be repeated.",
        ),
    ] = None,
    max_body: Annotated[
        int, typer.Option(metavar="MIB", min=1, max=1024, help="Largest request body, in MiB.")
    ] = 16,
    log_format: Annotated[
        LogFormat,
        # Eager, so that errors in other options have this format, too.
        typer.Option(help="Format of the log.", is_eager=True, callback=_set_log_format),
    ] = "text",
    trusted_proxy: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address of a proxy whose X-Forwarded headers are trusted."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Further host name that is served without a token, besides localhost. Can be "
            "repeated.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="MNIST_TOKEN",
            help="Bearer token that clients must send. Prefer MNIST_TOKEN: other users of this "
            "machine can read options.",
            show_default=False,
        ),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Let other machines connect without a token."),
    ] = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page for drawing in a browser.")
    ] = False,
) -> None:
    """Serve predictions over HTTP.

    POST /predict takes pixels as {"picArray": [[0..255, ...], ...]}, 0 is black and 255 white, or a
    picture as image/*, or a form with a file. GET / returns a page for drawing to browsers, and the
    prediction for a sample picture to other programs. /docs documents all routes.

    \b
    Examples:
      mnist serve --open
      mnist serve --model t_ffnn --port 8080
      MNIST_TOKEN=secret mnist serve --host 0.0.0.0
      curl --data-binary @7.png -H 'Content-Type: image/png' localhost:8000/predict
    """
    if token is None and os.environ.get("MNIST_TOKEN") == "":  # Typer takes it as not set
        token = ""
    _check_exposure(host, token, insecure)
    if workers > 1 and sys.platform == "win32":
        raise UsageError(
            "--workers is not supported on Windows", "start several servers, each with its --port"
        )
    from mnist_cli.server import http
    from mnist_cli.server.settings import LOCAL_HOSTS, Settings

    terminal: Terminal = context.obj
    path = url_prefix.strip("/")
    prefix = f"/{path}" if path else ""
    listen = http.ListenOptions(host, port, threads, prefix, trusted_proxy)
    is_local = token is None and not insecure
    hosts = (*LOCAL_HOSTS, *map(str.lower, allow_host or ())) if is_local or allow_host else ()
    try:
        settings = Settings(
            model, model_dir, input, token, tuple(cors or ()), max_body * 2**20, log_format, hosts
        )
    except ValueError as error:
        raise UsageError(f"MNIST_TOKEN: {error}") from error
    terminal.keep_stderr_visible()  # loading a model must not hide the access log
    _log_requests(terminal)
    bound = http.bind(listen)  # before slow imports: an address in use is reported at once

    def announce() -> None:
        url = http.server_url(bound, listen)
        terminal.report("info", f"serving {model} on {url} (open it in a browser; Ctrl-C stops)")
        if open_page and not _open_in_browser(url):
            terminal.report("warning", f"no browser was found: open {url} in one")

    def work(counts: http.ConnectionCounts | None, warm: Callable[[], None]) -> None:
        from mnist_cli.server.app import create_app
        from mnist_cli.server.state import get_models

        app = create_app(settings, warm=False)

        def warm_up() -> None:
            get_models(app).get()
            warm()

        http.serve(app, bound, listen, warm_up, counts)

    if workers == 1:
        work(None, announce)
    else:
        raise typer.Exit(http.supervise(bound, workers, work, announce))


def _log_requests(terminal: Terminal) -> None:
    """Write the access log to stderr, without a prefix, for programs that parse it."""
    access_log = logging.getLogger("mnist_cli.access")
    access_log.addHandler(logging.StreamHandler(terminal.stderr))
    access_log.propagate = False
    messages = logging.getLogger("mnist_cli")
    if messages.isEnabledFor(logging.WARNING):  # not with --quiet
        access_log.setLevel(logging.INFO)
    # Messages of waitress and of Python have the format of ours.
    logging.captureWarnings(True)
    for name in ("waitress", "py.warnings"):
        logging.getLogger(name).handlers = messages.handlers
        logging.getLogger(name).setLevel(messages.level)


def _open_in_browser(url: str) -> bool:
    """Open a URL of the server; return whether there is a browser."""
    import webbrowser

    # Not all systems connect to the addresses that stand for all network interfaces.
    for wildcard in ("//0.0.0.0:", "//[::]:"):
        url = url.replace(wildcard, "//localhost:")
    return webbrowser.open(url)


def _check_exposure(host: str, token: str | None, insecure: bool) -> None:
    from mnist_cli.server.settings import LOCAL_ADDRESSES

    if token is None and not insecure and host not in LOCAL_ADDRESSES:
        raise UsageError(
            f"--host: other machines can reach {host}",
            "set MNIST_TOKEN to a token, or use --insecure",
        )
