"""The contract with waitress: it has every attribute that `server/http` uses, as declared."""

import ast
import collections.abc
import inspect
import socket
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest

from mnist_cli.server.http import channel as ours
from mnist_cli.server.http import waitress_api as api
from mnist_cli.server.http.request import Request

PROTOCOLS: list[Any] = [
    value
    for value in vars(api).values()
    if isinstance(value, type) and value.__module__ == api.__name__
]

# What our subclasses add to those of waitress.
ADDED: dict[type, tuple[type, set[str]]] = {
    Request: (api.HTTPRequestParser, {"arrival_time", "digit", "is_tls_handshake", "query_params"}),
    ours.Task: (api.WSGITask, set()),
    ours.JsonErrorTask: (api.ErrorTask, set()),
    ours.Channel: (
        api.HTTPChannel,
        {
            "_parse",
            "has_input",
            "has_sent_request",
            "is_busy",
            "is_corked",
            "linger_deadline",
            "lingers",
            "service_in_loop",
            "uncork",
            "unparsed",
        },
    ),
}

# The types of the variables in `server/http`, by name.
VARIABLES: dict[str, tuple[type, set[str]]] = {
    "server": (api.WSGIServer, {"is_draining", "settings"}),
    "_server": (api.WSGIServer, {"is_draining", "settings"}),
    "channel": ADDED[ours.Channel],
    "request": ADDED[Request],
    "error": (api.Error, set()),
    "task_dispatcher": (api.TaskDispatcher, set()),
    "trigger": (api.Trigger, set()),
}


@pytest.fixture(scope="module")
def objects() -> Iterator[dict[str, Any]]:
    """An object of waitress for each protocol."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = create_server(lambda environ, start_response: [], sockets=[bound], threads=1)
        one, other = socket.socketpair()
        channel = HTTPChannel(server, one, ("127.0.0.1", 1), server.adj, map={})
        parser = HTTPRequestParser(server.adj)
        parser.received(b"POST /a?b=c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1")
        yield {
            "Error": BadRequest("x"),
            "HTTPRequestParser": parser,
            "Task": WSGITask(channel, parser),
            "WSGITask": WSGITask(channel, parser),
            "ErrorTask": ErrorTask(channel, parser),
            "HTTPChannel": channel,
            "TaskDispatcher": server.task_dispatcher,
            "Trigger": server.trigger,
            "WSGIServer": server,
        }
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)
        one.close()
        other.close()


def _methods(protocol: type) -> dict[str, Any]:
    functions = inspect.getmembers(protocol, inspect.isfunction)
    return {name: value for name, value in functions if name not in ("__init__", "_no_init")}


def _members(protocol: type) -> set[str]:
    return get_type_hints(protocol).keys() | {
        name for name in _methods(protocol) if not name.startswith("__")
    }


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is types.UnionType:
        return any(_fits(value, choice) for choice in get_args(hint))
    if hint is Any or hint in PROTOCOLS:  # the latter have a test of their own
        return True
    if origin is collections.abc.Callable:
        return callable(value)
    return isinstance(value, origin or hint)


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_waitress_has_the_attributes_of_the_protocols(
    protocol: type, objects: dict[str, Any]
) -> None:
    found = objects[protocol.__name__]
    for name, hint in get_type_hints(protocol).items():
        assert _fits(getattr(found, name), hint), name
    for name, method in _methods(protocol).items():
        if not name.startswith("__"):
            assert _parameters(getattr(type(found), name)) == _parameters(method), name


@pytest.mark.parametrize("subclass", ADDED)
def test_subclasses_override_only_what_exists_and_hide_nothing(
    subclass: type, objects: dict[str, Any]
) -> None:
    protocol, added = ADDED[subclass]
    names = {name for name in vars(subclass) if not name.startswith("__")}
    names |= vars(subclass).get("__annotations__", {}).keys()
    assert names - added <= _members(protocol)
    assert not added & set(dir(objects[protocol.__name__]))


FOLDER = Path(ours.__file__).parent
SOURCES = {
    name: ast.parse((FOLDER / name).read_text())
    for name in ("channel.py", "connections.py", "microbatch.py", "request.py", "runner.py")
}


def _undeclared(tree: ast.AST, variables: dict[str, tuple[type, set[str]]]) -> list[str]:
    """The attributes of these variables that neither waitress nor our subclasses have."""
    undeclared = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            variable = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if variable in variables:
                protocol, added = variables[variable]
                if node.attr not in _members(protocol) | added:
                    undeclared.append(f"line {node.lineno}: {variable}.{node.attr}")
    return undeclared


@pytest.mark.parametrize("name", SOURCES)
def test_only_declared_attributes_are_used(name: str) -> None:
    assert _undeclared(SOURCES[name], VARIABLES) == []


@pytest.mark.parametrize("subclass", ADDED)
def test_subclasses_use_only_declared_attributes_of_themselves(subclass: type) -> None:
    [definition] = [
        node
        for source in SOURCES.values()
        for node in source.body
        if isinstance(node, ast.ClassDef) and node.name == subclass.__name__
    ]
    assert _undeclared(definition, {"self": ADDED[subclass]}) == []


def test_functions_take_the_arguments_that_are_passed() -> None:
    calls = {
        ast.unparse(node.func): node
        for node in ast.walk(SOURCES["runner.py"])
        if isinstance(node, ast.Call)
    }
    for function in (wasyncore.loop, wasyncore.close_all):
        call = calls[f"wasyncore.{function.__name__}"]
        keywords = {keyword.arg: None for keyword in call.keywords if keyword.arg}
        inspect.signature(function).bind(*call.args, **keywords)
    options = {keyword.arg for keyword in calls["create_server"].keywords if keyword.arg}
    options |= {"trusted_proxy", "trusted_proxy_headers"}  # passed as **proxy
    assert options <= dict(Adjustments._params).keys()
