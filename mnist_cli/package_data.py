"""Locates the models and samples shipped with the package."""

from pathlib import Path


def data_folder(name: str) -> Path:
    """Return `saved_models` or `samples`, in the installed package or beside it in a clone."""
    package = Path(__file__).parent
    return package / name if (package / name).is_dir() else package.parent / name
