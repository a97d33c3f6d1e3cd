"""Where a run's telemetry goes: the keys ``openlineage`` and ``opentelemetry`` of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_HTTP = r"https?://[^/\s?#@]+(/[^\s?#@]*)?"


def http_url(value: str) -> str:
    """The URL of a receiver. Credentials have keys of their own, which are never shown.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(_HTTP, value):
        raise ValueError("is not a URL such as https://lineage.example.com, without a user, a query or a fragment")
    return value


class Receiver(BaseModel):
    """What all receivers have in common.

    Attributes:
        timeout: Seconds that the end of a run, or of a process of it, waits for what was not delivered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    timeout: float = Field(default=5.0, gt=0, le=60)

    def secrets(self) -> Iterator[str]:
        """Values that must not be shown."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            values = value.values() if isinstance(value, dict) else [value]
            yield from (each.get_secret_value() for each in values if isinstance(each, SecretStr))


class OpenLineage(Receiver):
    """A receiver of OpenLineage events. What is left out comes from the environment.

    Attributes:
        url: The receiver; ``OPENLINEAGE_URL`` if left out.
        endpoint: The path below ``url``; ``OPENLINEAGE_ENDPOINT``, then ``api/v1/lineage``, if left out.
        api_key: Sent as a bearer token; ``OPENLINEAGE_API_KEY`` if left out.
        file: A file to which each event is appended as a line of JSON; relative to the project's root.
        namespace: The namespace of the jobs; ``OPENLINEAGE_NAMESPACE``, then ``default``, if left out.
    """

    url: str | None = None
    endpoint: str | None = None
    api_key: SecretStr | None = None
    file: str | None = None
    namespace: str | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return value and http_url(value)


class OpenTelemetry(Receiver):
    """A receiver of OpenTelemetry's traces and metrics (OTLP over HTTP). What is left out comes from ``OTEL_*``.

    Attributes:
        endpoint: The receiver's base URL; ``OTEL_EXPORTER_OTLP_ENDPOINT`` if left out.
        headers: Sent with each request, for example a token; ``OTEL_EXPORTER_OTLP_HEADERS`` if left out.
        service_name: ``OTEL_SERVICE_NAME``, then ``pipekit``, if left out.
        statements: Whether each SQL statement has a span of its own.
    """

    endpoint: str | None = None
    headers: dict[str, SecretStr] = {}
    service_name: str | None = None
    statements: bool = True

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        return value and http_url(value)
