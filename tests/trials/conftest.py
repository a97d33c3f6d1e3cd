"""Fixtures: a project on each engine."""

from __future__ import annotations

from engines import emulated, on, s3, snowflake_account  # noqa: F401 - fixtures
