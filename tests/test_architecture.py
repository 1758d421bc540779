"""The structure of the code: which module imports what."""

import ast
import functools
import graphlib
import importlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT

# Packages whose modules are private: other code imports only what their `__init__` lists.
CLOSED_PACKAGES = [
    "mnist_cli.server.http",
    "mnist_cli.server.native",
    "mnist_cli.server.open_inference",
    "mnist_cli.server.openapi",
    "mnist_cli.server.tfserving",
]
FOLDERS = ("mnist_cli", "benchmarks", "docs", "training")

# The modules and packages of `mnist_cli`, from top to bottom; docs/architecture.md has the same
# layers. A module imports only from its own layer and from those below it.
LAYERS = (
    {"__main__", "cli", "commands"},
    {"batch", "server"},
    {"annotate", "api", "evaluation", "plot", "predictor"},
    {"evidence", "prediction", "recognition"},
    {"preprocessing"},
    {
        "cache",
        "calibration",
        "compiler",
        "conventions",
        "first_use",
        "formats",
        "idx",
        "images",
        "input_files",
        "inspection",
        "jpeg",
        "loader",
        "model_file",
        "notebook",
        "output",
        "picture",
        "picture_files",
        "reshape",
        "saved_model",
        "self_test",
        "stored_model",
        "text",
    },
    {"runtimes"},
    {
        "arrays",
        "chunks",
        "class_labels",
        "errors",
        "file_lock",
        "native_output",
        "option_types",
        "package_data",
        "records",
        "signature",
        "terminal",
    },
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}


@functools.cache
def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _imports(file: Path) -> Iterator[tuple[str, str | None]]:
    """The imports of a file, also those in functions: module and name, or None for the module."""
    for node in ast.walk(_parse(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} is a relative import"
            yield from ((node.module or "", alias.name) for alias in node.names)


def _outside(package: str) -> Iterator[Path]:
    inside = ROOT.joinpath(*package.split("."))
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            if not file.is_relative_to(inside):
                yield file


def _attributes(file: Path, name: str | None) -> set[str]:
    """The attributes of a variable that a file uses."""
    return {
        node.attr
        for node in ast.walk(_parse(file))
        if isinstance(node, ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == name
    }


@pytest.mark.parametrize("package", CLOSED_PACKAGES)
def test_a_package_is_imported_only_through_its_init(package: str) -> None:
    offered = importlib.import_module(package).__all__
    for file in _outside(package):
        for module, name in _imports(file):
            assert not module.startswith(f"{package}."), f"{file} imports {module}"
            if module == package and name is not None:
                assert name in offered, f"{file} imports {name} from {package}"
            if f"{module}.{name}" == package:  # then it is used as `name.something`
                assert _attributes(file, name) <= set(offered), f"{file} uses more of {package}"


def test_the_protocols_do_not_depend_on_the_http_server() -> None:
    """`create_app()` runs under any WSGI server, without waitress."""
    for file in (ROOT / "mnist_cli" / "server").rglob("*.py"):
        if file.parent.name != "http":
            for module, name in _imports(file):
                imported = f"{module}.{name}"
                assert not imported.startswith(("mnist_cli.server.http", "waitress")), file


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _import_graph() -> dict[str, set[str]]:
    """The modules of `mnist_cli` that each module imports, also in functions and for types only."""
    files = {_module(file): file for file in (ROOT / "mnist_cli").rglob("*.py")}
    return {
        module: {
            submodule if (submodule := f"{imported}.{name}") in files else imported
            for imported, name in _imports(file)
            if imported in files
        }
        for module, file in files.items()
    }


def test_there_are_no_import_cycles() -> None:
    graphlib.TopologicalSorter(_import_graph()).prepare()


def test_modules_import_only_from_their_own_and_lower_layers() -> None:
    graph = _import_graph()
    names = {module: module.split(".")[1] for module in graph if module != "mnist_cli"}
    assert set(names.values()) == LAYER.keys()
    for module, name in names.items():
        for imported in graph[module] - {"mnist_cli"}:
            assert LAYER[name] <= LAYER[names[imported]], f"{module} imports {imported}"


def test_the_documentation_lists_the_same_layers() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition("## Layers")[2].partition("Import cycles")[0]
    items = re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]
    names = [re.findall(r"`(\w+)(?:/|\.py)`", item) for item in items]
    assert [set(layer) for layer in names] == list(LAYERS)


def test_the_batch_and_the_server_do_not_import_each_other() -> None:
    for module, imported in _import_graph().items():
        for one, other in itertools.permutations(("mnist_cli.batch", "mnist_cli.server")):
            if module.startswith(one):
                assert not any(name.startswith(other) for name in imported), module
