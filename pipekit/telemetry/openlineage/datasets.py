"""Files and tables as datasets, named by OpenLineage's rules, so that other tools' events meet them.

The rules: https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipekit.names import Table
from pipekit.pipeline.model import PipelineSpec
from pipekit.scrubbing import uri_without_secrets
from pipekit.source import Source


@dataclass(frozen=True)
class Dataset:
    """A dataset's identity."""

    namespace: str
    name: str

    def as_json(self) -> dict[str, str]:
        """The two fields by which an event names a dataset."""
        return {"namespace": self.namespace, "name": self.name}


@runtime_checkable
class NamesDatasets(Protocol):
    """Options of a target that know OpenLineage's names of its tables and columns."""

    def dataset(self, table: Table, root: Path) -> tuple[str, str]:
        """Namespace and name of a table.

        Args:
            table: The table, as the pipeline names it.
            root: The project's folder.
        """

    def column(self, name: str) -> str:
        """A column's name as the warehouse has it."""


def of_table(name: str, spec: PipelineSpec) -> Dataset:
    """A table of the target. One whose type has no rule is named by the type and the target's name."""
    options = spec.target.options
    if isinstance(options, NamesDatasets):
        return Dataset(*options.dataset(Table.parse(name), spec.root))
    return Dataset(f"{spec.target.type.name}://{spec.target.name}", ".".join(spec.table_key(name)))


def column_of_table(name: str, spec: PipelineSpec) -> str:
    """A column of the target's tables."""
    options = spec.target.options
    return options.column(name) if isinstance(options, NamesDatasets) else name


def of_source(source: Source) -> Dataset:
    """The files of a source: their folder or, if the source is one file or one pattern, that name below it."""
    uri = uri_without_secrets(source.uri)
    if len(source.pattern) == 1 and source.pattern[0] not in ("*", "**"):
        uri = f"{uri.rstrip('/')}/{source.pattern[0]}"
    scheme, found, rest = uri.partition("://")
    if not found or scheme == "file":
        return Dataset("file", rest if found else uri)
    place, _, path = rest.partition("/")
    return Dataset(f"{_SCHEMES.get(scheme, scheme)}://{place}", path or "/")


_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
