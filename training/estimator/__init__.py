"""The family `e_*`: tf.estimator, which TensorFlow 2.15 was the last to have."""

import warnings

import tensorflow.compat.v1 as v1

# These warnings advise against the API that this family is about.
warnings.filterwarnings("ignore", message="`tf.layers")
v1.logging.set_verbosity(v1.logging.ERROR)
