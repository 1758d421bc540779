"""The WSGI app with a token from MNIST_TOKEN, for gunicorn, granian and other WSGI servers."""

import os

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings

app = create_app(Settings(token=os.environ["MNIST_TOKEN"]))
