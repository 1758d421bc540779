"""Reproduces `saved_models/` and `samples/`; see `training/README.md`."""

import os

# TensorFlow reads both variables when it is first imported.
# Hide its messages about the machine, which would bury the progress.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# By default oneDNN is off on processors without AVX-512, where convolutions need 1.5 times as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
