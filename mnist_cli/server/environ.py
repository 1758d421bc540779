"""Keys of the WSGI environ through which `mnist serve` passes what it knows to the app."""

ARRIVAL_TIME = "mnist.arrival_time"
"""When the request was complete, in seconds of `time.perf_counter`."""
PREDICTED_IMAGE = "mnist.predicted_image"
"""The `PredictedImage` of a request whose image was part of a batch."""
