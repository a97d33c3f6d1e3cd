"""Which places Snowflake itself reads, and by which name."""

from __future__ import annotations

# Snowflake's scheme for each that a pipeline file may use: .../sql-reference/sql/create-stage
CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "azure": "azure"}
# Read too, but from most accounts by a stage's own CREDENTIALS only: .../sql-reference/sql/create-storage-integration
_BY_STAGE_ALONE = frozenset({"s3gov", "s3china"})


def unreachable(uri: str) -> tuple[str, str] | None:
    """Why pipekit makes no stage for a place that is not on the local disk, and what to do; ``None`` if it does."""
    scheme = uri.partition("://")[0]
    if scheme in _BY_STAGE_ALONE:
        hint = "Make one, by CREATE STAGE with CREDENTIALS, and name it: `stage: '@name'`; see docs/snowflake.md."
        return f"pipekit makes no stage for {scheme}:// places", hint
    if scheme not in CLOUDS:
        hint = "Use s3://, gs://, azure:// or a local path, or name an existing stage: `stage: '@name'`."
        return f"Snowflake cannot reach {scheme}:// places", hint
    return None
