"""Locates digits in pictures and normalizes them as in MNIST."""

from mnist_cli.preprocessing.candidates import (
    Prepared,
    best_crop,
    prepare,
    prepare_clean,
    search,
)

__all__ = ["Prepared", "best_crop", "prepare", "prepare_clean", "search"]
