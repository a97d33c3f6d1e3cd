"""A local stand-in for Snowflake and S3, for the real connector over HTTP.

fakesnow (Snowflake's SQL on DuckDB) behind Snowflake's wire protocol, S3 by a real moto server. What fakesnow lacks
or lets pass, and pipekit relies on, is added here:

- COPY INTO from S3 and from internal stages: FILES, plain and by a SELECT of ``$n`` and metadata columns, or of
  ``$1:"name"::TYPE`` from Parquet; ON_ERROR ABORT_STATEMENT and CONTINUE, VALIDATION_MODE = RETURN_ALL_ERRORS, the
  format options that pipekit states. A COPY that fails loads nothing. Any other option is refused.
- LIST, queries over staged lines, INFER_SCHEMA of Parquet, SHOW TABLES with clustering keys, SWAP WITH,
  MERGE inside a transaction, SYSTEM$CANCEL_ALL_QUERIES.
- A request that comes again with the same request id is answered as before and not run twice.
- Less kindness: DDL inside a transaction is refused (Snowflake would commit), so is an identifier whose case differs
  from what was created, and a failing statement is an error of the connector's, never HTTP 500.
- A control endpoint, ``/emulator``: latency, faults before or after the n-th statement took effect, what was sent.
- When a table was made, and a token that changes with each committed change of its rows; a statement is stopped by its
  request, or by its session.
- What the account sets is kept: input formats of dates and times, READ_CONSISTENCY_MODE, grants (lost by a replacement
  without COPY GRANTS), masking and row access policies (lost by any), streams, storage integrations with their provider and allowed places.
- Numbers come as the smallest integers with a scale beside them, and in several chunks if a test asks for them. Typed
  values of Parquet have the text that the documentation shows. COUNT passes over a JSON null. ON_ERROR = CONTINUE passes
  over a named file that is gone. Quote characters, offsets and infinities are those that Snowflake takes.

- UPDATE, DELETE, MERGE and what replaces all rows lock the whole table until their transaction ends: others wait, twenty
  at most and for LOCK_TIMEOUT, and a deadlock ends one of them. INSERT and COPY wait for nothing.
- A text that is longer than its VARCHAR(n) is refused, a literal is as wide as it is written, OBJECT, ARRAY and
  TIMESTAMP_LTZ are types. A division by zero is an error. SKIP_HEADER leaves out physical lines,
  and a blank line that COPY, or a query over staged lines, is not told to leave out is an error.
- If a test asks for it, a session sees what another one committed some seconds later, unless READ_CONSISTENCY_MODE is
  GLOBAL; its own commits it sees at once. UPDATE, DELETE, COPY and what replaces all rows see everything.
- If a test asks for it, a value beyond a length is refused (EMULATED_LONGEST_VALUE), and VALIDATION passes over bad records
  (EMULATED_VALIDATION). LIST of a stage on GCS names gcs://, though the bucket is moto's.

It does not emulate: authentication (any login is taken), roles, what a role may not see, tags, QUERY_TAG's history,
warehouses (USE WAREHOUSE is accepted), load metadata (pipekit always says FORCE), statement timeouts, exact arithmetic of
NUMBER (tests/warehouses/duckdb/semantics is about that), the text of a JSON number
with an exponent, error tables, time travel, whether UTF-8 is checked by
record or by value, what VALIDATION says of a record with too many fields, HAVING without GROUP BY, and widths of expressions that are no literals. Temporary tables are ordinary ones that are dropped with their
session. A transaction in which a statement failed must be rolled back; Snowflake would go on. What COPY does here is
what Snowflake's documentation says, so a green test is a test of that reading.
"""
