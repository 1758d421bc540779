"""Accuracy on handwriting, photographs, print, MNIST-C, numbers and pictures without a digit.

The generators are independent of those in `training/`, so that a model is not tested on the kind of
picture that it was trained on.
"""
