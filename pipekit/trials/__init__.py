"""Tests of a pipeline without a warehouse: files and rows that are given, and rows that are expected."""
