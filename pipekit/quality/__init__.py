"""Suites of Great Expectations expectations, judged where the data is."""
