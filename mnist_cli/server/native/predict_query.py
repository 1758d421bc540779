"""Parses the query of `/predict`."""

from collections.abc import Mapping

from mnist_cli.errors import InputError
from mnist_cli.option_types import PREPROCESSES, Preprocess

FLAG_VALUES = {"1": True, "true": True, "0": False, "false": False}


def preprocess_option(query: Mapping[str, str]) -> Preprocess:
    """Return the value of `preprocess`; `auto` if it is missing.

    Raises:
        InputError: the value is unknown.
    """
    value = query.get("preprocess", "auto")
    for known in PREPROCESSES:
        if value == known:
            return known
    raise InputError(f"preprocess is {value!r}: use {' or '.join(PREPROCESSES)}")


def flag_option(query: Mapping[str, str], name: str) -> bool:
    """Return the value of a flag such as `scores`; False if it is missing.

    Raises:
        InputError: the value is unknown.
    """
    value = query.get(name, "0")
    if value not in FLAG_VALUES:
        raise InputError(f"{name} is {value!r}: use one of {', '.join(FLAG_VALUES)}")
    return FLAG_VALUES[value]
