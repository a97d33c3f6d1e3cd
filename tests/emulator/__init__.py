"""A local stand-in for Snowflake and S3, for the real connector over HTTP.

fakesnow (Snowflake's SQL on DuckDB) behind Snowflake's wire protocol, S3 by a real moto server. What fakesnow lacks
or lets pass, and pipekit relies on, is added here:

- COPY INTO from S3 and from internal stages: FILES, plain and by a SELECT of ``$n`` and metadata columns, ON_ERROR
  ABORT_STATEMENT and CONTINUE, VALIDATION_MODE = RETURN_ALL_ERRORS, the format options that pipekit states, and
  MATCH_BY_COLUMN_NAME for Parquet. A COPY that fails loads nothing. Any other option is refused.
- LIST, queries over staged lines, INFER_SCHEMA of Parquet, SHOW TABLES with clustering keys, SWAP WITH,
  MERGE inside a transaction, SYSTEM$CANCEL_ALL_QUERIES.
- A request that comes again with the same request id is answered as before and not run twice.
- Less kindness: DDL inside a transaction is refused (Snowflake would commit), so is an identifier whose case differs
  from what was created, and a failing statement is an error of the connector's, never HTTP 500.
- A control endpoint, ``/emulator``: latency, faults before or after the n-th statement took effect, what was sent.

It does not emulate: authentication (any login is taken), roles and grants, storage integrations, QUERY_TAG's history,
warehouses (USE WAREHOUSE is accepted), load metadata (pipekit always says FORCE), lengths of VARCHAR, statement
timeouts, division by zero as an error, error tables, time travel, result chunks, and the lock waits of two writers
(DuckDB's write conflict is retried in their place). Temporary tables are ordinary ones that are dropped with their
session. A transaction in which a statement failed must be rolled back; Snowflake would go on. What COPY does here is
what Snowflake's documentation says, so a green test is a test of that reading.
"""
