"""The Snowflake adapter. Only this package imports the connector."""
