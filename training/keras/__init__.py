"""The family `k_*`: Keras, Sequential and functional."""
