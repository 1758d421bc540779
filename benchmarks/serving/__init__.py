"""Throughput of `mnist serve`, compared with other model servers, and a soak test."""
