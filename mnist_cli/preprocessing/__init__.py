"""Locates digits in pictures and normalizes them as in MNIST."""

from mnist_cli.preprocessing.candidates import Prepared, prepare, prepare_clean, search

__all__ = ["Prepared", "prepare", "prepare_clean", "search"]
