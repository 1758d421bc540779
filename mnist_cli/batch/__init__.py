"""Reads many pictures in parallel and writes one record per file: `mnist predict-batch`."""
