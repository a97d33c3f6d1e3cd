"""Snowflake's semantics on DuckDB: one query in Snowflake's dialect becomes one in DuckDB's that gives the same value.

``translation`` is the entry. ``parsing`` reads the text, ``queries`` and ``rewriting`` walk it with the types that are
known, and the other modules hold the rules by kind. ``session`` gives a connection the macros that a statement calls.
Nothing here imports sqlglot until a text is translated.
"""
