"""Splits an iterable into chunks."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Split `items` into lists of `size` items; the last list may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def growing_chunks(items: Iterable[T], *, first: int, largest: int, each: int) -> Iterator[list[T]]:
    """Split `items` into lists whose size doubles from `first` to `largest` items.

    Args:
        items: what to split.
        first: the size of the first lists.
        largest: the size from which it stays the same.
        each: how many lists have the same size before it doubles.
    """
    iterator, size = iter(items), first
    while size < largest:
        yield from islice(chunked(iterator, size), each)
        size *= 2
    yield from chunked(iterator, largest)
