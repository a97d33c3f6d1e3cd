"""A pipeline file, read and checked, and the graph of its steps."""
