"""Frames a digit as the makers of MNIST did, whatever the picture around it."""

from mnist_cli.framing.frame import frame

__all__ = ["frame"]
