"""The cache key of a data set: recipes, MNIST digits, code and the detector."""

import ast
import hashlib
from pathlib import Path
from typing import Any

from training.data import Digits
from training.recipes.dataset import DATASET
from training.recipes.synthetic import SYNTHETIC

ROOT = Path(__file__).parents[1]

CODE = (
    *("training.synthetic.generate", "training.augment"),
    *("mnist_cli.images", "mnist_cli.preprocessing", "mnist_cli.reshape"),
)
"""The modules that draw, augment and preprocess; what they import is found from there."""

DETECTOR = ROOT / "saved_models" / "preprocessing" / "detector" / "assets.extra" / "model.tflite"
"""The compiled detector, which preprocessing loads."""


def dataset_key(digits: Digits) -> dict[str, Any]:
    """Return what a data set depends on, apart from its size, its seed and installed packages.

    Raises:
        OSError: the compiled detector cannot be read.
    """
    return {
        "recipe": repr(DATASET),
        "synthetic": repr(SYNTHETIC),
        "code": source_digest(*CODE),
        "detector": hashlib.sha256(DETECTOR.read_bytes()).hexdigest(),
        "digits": hashlib.sha256(digits.images.tobytes() + digits.labels.tobytes()).hexdigest(),
    }


def source_digest(*modules: str) -> str:
    """Return a SHA-256 of these modules and all modules of this repository that they import.

    Comments, docstrings and formatting do not change it. The files are parsed, not imported, since
    the environment of the estimators has neither OpenCV nor Pillow.

    Raises:
        ModuleNotFoundError: one of the modules is not in this repository.
    """
    if missing := [module for module in modules if not _source_file(module)]:
        raise ModuleNotFoundError(f"not in {ROOT}: {', '.join(missing)}")
    sources: dict[Path, str] = {}
    pending = list(modules)
    while pending:
        file = _source_file(pending.pop())
        if file is None or file in sources:
            continue
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                pending += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                if not node.module or node.level:
                    raise ValueError(f"{file}: relative imports are not followed")
                pending += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        sources[file] = ast.unparse(_DocstringRemover().visit(tree))
    return hashlib.sha256(repr([sources[file] for file in sorted(sources)]).encode()).hexdigest()


def _source_file(module: str) -> Path | None:
    """Return the file of a module of this repository, or None for any other module."""
    base = ROOT.joinpath(*module.split("."))
    files = (base.with_suffix(".py"), base / "__init__.py")
    return next((file for file in files if file.is_file()), None)


class _DocstringRemover(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node
