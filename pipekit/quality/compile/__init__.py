"""Expectations as aggregates of one SELECT."""
