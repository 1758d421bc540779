"""From the images to a model folder: `python -m training NAME [--data DIR]`."""

from training.command import run
from training.publish import publish
from training.train import train

run("Train a model, then export, compile and test it.", train, publish)
