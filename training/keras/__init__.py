"""The family `k_*`: Keras, with the Sequential and the functional API."""
