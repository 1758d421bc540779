"""Locates the models and samples that come with the package."""

from pathlib import Path


def data_folder(name: str) -> Path:
    """`saved_models` or `samples`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    return package / name if (package / name).is_dir() else package.parent / name
