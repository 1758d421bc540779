"""How `saved_models/` was made: run from the repository root, see `training/README.md`."""

import os

# TensorFlow's notes about the machine would bury the progress. It reads this when first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# On processors without AVX-512 it is off by default; there it makes convolutions 1.5 times faster.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
