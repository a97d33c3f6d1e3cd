"""Where OpenLineage events go: the keys of the file, then the variables of OpenLineage's own clients.

The variables: https://openlineage.io/docs/client/python/configuration
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pipekit.pipeline.observers import OpenLineage, http_url
from pipekit.scrubbing import hide

_ENDPOINT = "api/v1/lineage"


@dataclass(frozen=True)
class Parent:
    """The job and the run of a scheduler that started this one."""

    namespace: str
    job: str
    run: str


@dataclass(frozen=True)
class Settings:
    """Where events go.

    Attributes:
        url: Each event is posted there; empty for nowhere.
        api_key: The bearer token; empty for none.
        file: Each event is appended to it as a line.
        namespace: The namespace of the jobs.
        timeout: Seconds that the end of the run waits.
        parent: What started the run.
    """

    url: str
    api_key: str
    file: Path | None
    namespace: str
    timeout: float
    parent: Parent | None


def settings(keys: OpenLineage | None, environment: Mapping[str, str], root: Path) -> Settings | None:
    """The settings of a run; ``None`` if they are turned off.

    Raises:
        ValueError: A variable cannot be used, or there is no receiver.
    """
    if environment.get("OPENLINEAGE_DISABLED", "").lower() == "true":
        return None
    keys = keys or OpenLineage()
    url = keys.url or environment.get("OPENLINEAGE_URL", "")
    if not url and not keys.file:
        raise ValueError("the key openlineage gives neither url nor file, and OPENLINEAGE_URL is not set")
    hide(keys.secrets())
    api_key = keys.api_key.get_secret_value() if keys.api_key else environment.get("OPENLINEAGE_API_KEY", "")
    hide([api_key])
    endpoint = keys.endpoint or environment.get("OPENLINEAGE_ENDPOINT") or _ENDPOINT
    return Settings(
        url=f"{_checked(url).rstrip('/')}/{endpoint.lstrip('/')}" if url else "",
        api_key=api_key,
        file=root / keys.file if keys.file else None,
        namespace=keys.namespace or environment.get("OPENLINEAGE_NAMESPACE") or "default",
        timeout=keys.timeout,
        parent=_parent(environment.get("OPENLINEAGE_PARENT_ID", "")),
    )


def _checked(url: str) -> str:
    try:
        return http_url(url)
    except ValueError as error:
        raise ValueError(f"OPENLINEAGE_URL {error}") from error


def _parent(text: str) -> Parent | None:
    """``OPENLINEAGE_PARENT_ID``: namespace, job and run of what started this process, with a slash between."""
    if not text:
        return None
    try:
        namespace, job, run = text.rsplit("/", 2)
        return Parent(namespace, job, str(UUID(run)))
    except ValueError as error:
        raise ValueError("OPENLINEAGE_PARENT_ID is not NAMESPACE/JOB/RUN, with a UUID for the run") from error
