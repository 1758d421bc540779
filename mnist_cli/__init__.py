"""Reads handwritten digits from image files with TensorFlow SavedModels."""

__version__ = "0.1.0"
