"""The committee: five CNNs that were to teach the models, and their comparison with `k_cnn`."""
