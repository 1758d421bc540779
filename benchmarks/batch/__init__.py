"""Throughput of `mnist predict-batch`, compared with `tf.data` and with OpenCV."""
