"""The app for other WSGI servers, with a token: without one, they would let everybody in."""

import os

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings

app = create_app(Settings(token=os.environ["MNIST_TOKEN"]))
