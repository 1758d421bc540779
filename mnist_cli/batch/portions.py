"""Cuts what is too much at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def portions(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut any number of items into lists of so many; the last one may be shorter."""
    rest = iter(items)
    while portion := list(islice(rest, size)):
        yield portion
