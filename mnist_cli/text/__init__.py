"""Renders records as text with Rich."""
