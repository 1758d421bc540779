"""Trains and publishes one model: `python -m training NAME [--data DIR]`."""

from training.command import run
from training.publish import publish
from training.train import train

run("Train a model, then compile, calibrate and test it.", train, publish)
