"""The commands of `mnist`: each parses its options, calls the library and writes the results."""
