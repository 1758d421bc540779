"""Synthetic pictures: printed, handwritten, drawn and corrupted digits, and non-digits."""
