"""The family `t_*`: graphs and sessions, the low-level API of TensorFlow."""

import tensorflow.compat.v1 as v1

# Its warnings advise against the API that this family uses.
v1.logging.set_verbosity(v1.logging.ERROR)
