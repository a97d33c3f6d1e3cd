"""Grants, policies, streams and storage integrations: what belongs to an object, and so goes when it is replaced.

https://docs.snowflake.com/en/sql-reference/sql/create-table (COPY GRANTS), .../create-view, .../create-storage-integration
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from snowflake.connector.errors import ProgrammingError

Name = tuple[str, ...]
PROVIDERS = {"S3": "s3", "S3GOV": "s3gov", "GCS": "gcs", "AZURE": "azure"}


@dataclass
class Integration:
    """A storage integration."""

    provider: str
    places: list[str]
    options: dict[str, Any]

    def allows(self, url: str) -> bool:
        """Whether a stage on this place may use it."""
        return any(url.startswith(place) for place in self.places)


@dataclass
class Governance:
    """What an account keeps beside tables and views."""

    grants: dict[Name, set[tuple[str, str]]] = field(default_factory=dict)
    future: dict[Name, set[tuple[str, str]]] = field(default_factory=dict)  # by schema
    masked: dict[Name, dict[str, str]] = field(default_factory=dict)
    row_policies: dict[Name, str] = field(default_factory=dict)  # by table
    streams: dict[str, Name] = field(default_factory=dict)  # each with its table
    integrations: dict[str, Integration] = field(default_factory=dict)

    def replaced(self, name: Name, *, copy_grants: bool) -> None:
        """CREATE OR REPLACE makes another object."""
        self.masked.pop(name, None)
        self.row_policies.pop(name, None)
        if not copy_grants:
            # COPY GRANTS in .../create-table: without it future grants are given, with it they are not.
            self.grants[name] = set(self.future.get(name[:2], ()))

    def swapped(self, one: Name, two: Name) -> None:
        """Grants and policies belong to the object, and change names with it."""
        for kept in (self.grants, self.masked):
            first, second = kept.pop(one, None), kept.pop(two, None)
            kept.update({name: value for name, value in ((two, first), (one, second)) if value})

    def integrate(self, name: str, options: dict[str, Any]) -> None:
        """CREATE STORAGE INTEGRATION IF NOT EXISTS."""
        provider = str(options.get("STORAGE_PROVIDER", ""))
        places = options.get("STORAGE_ALLOWED_LOCATIONS", [])
        needed = {"S3": "STORAGE_AWS_ROLE_ARN", "S3GOV": "STORAGE_AWS_ROLE_ARN", "AZURE": "AZURE_TENANT_ID"}
        if provider not in PROVIDERS or (provider in needed and not options.get(needed[provider])):
            raise ProgrammingError(msg=f"invalid or missing property for provider '{provider}'", errno=1008)
        _require_scheme(provider, places)
        self.integrations.setdefault(name, Integration(provider, places, options))

    def allow(self, name: str, places: list[str]) -> None:
        """ALTER STORAGE INTEGRATION ... SET STORAGE_ALLOWED_LOCATIONS replaces the list."""
        if name not in self.integrations:
            raise ProgrammingError(msg=f"Integration '{name}' does not exist or not authorized.", errno=2003)
        _require_scheme(self.integrations[name].provider, places)
        self.integrations[name].places = places

    def require(self, name: str, url: str) -> None:
        """A stage may be only where its integration allows."""
        known = self.integrations.get(name)
        if known and not known.allows(url):
            raise ProgrammingError(msg=f"stage URL '{url}' is not allowed by integration '{name}'", errno=3139)


def _require_scheme(provider: str, places: list[str]) -> None:
    for place in places:
        if not re.match(rf"{PROVIDERS[provider]}://", place):
            raise ProgrammingError(msg=f"invalid location '{place}' for provider '{provider}'", errno=1008)
