"""The DuckDB adapter. Only this package imports duckdb."""
