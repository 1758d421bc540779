"""The family `t_*`: graphs and sessions, the low-level API of TensorFlow (`tf.compat.v1`)."""

import tensorflow.compat.v1 as v1

# Its warnings advise against the API that this family is about.
v1.logging.set_verbosity(v1.logging.ERROR)
