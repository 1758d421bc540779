"""Reads pictures by the million: listed, read in parallel, recorded in order, resumable."""
