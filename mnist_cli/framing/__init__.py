"""Locates a digit in a picture and normalizes it as in MNIST."""

from mnist_cli.framing.frame import frame

__all__ = ["frame"]
