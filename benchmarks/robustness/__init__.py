"""How well digits are read in pictures that are not MNIST's: `python -m benchmarks.robustness`."""
