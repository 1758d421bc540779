"""The digit detector: its scenes, network, training and evaluation."""
