"""Throughput of `mnist predict-batch`, compared with a `tf.data` pipeline."""
