"""Defines the WSGI environ keys through which `mnist serve` passes data to the app."""

ARRIVAL_TIME = "mnist.arrival_time"
"""When the request was complete, in seconds of `time.perf_counter`."""
DIGIT = "mnist.digit"
"""The `Digit` of a request whose image was part of a batch."""
DRAINING = "mnist.draining"
"""Whether the server is shutting down."""
