"""The family `e_*`: tf.estimator, which was removed after TensorFlow 2.15."""

import warnings

import tensorflow.compat.v1 as v1

# These warnings advise against the API that this family uses.
warnings.filterwarnings("ignore", message="`tf.layers")
v1.logging.set_verbosity(v1.logging.ERROR)
