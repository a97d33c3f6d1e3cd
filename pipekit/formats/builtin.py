"""The formats that come with pipekit, by name: each is ``FORMAT`` of the module of its name.

A module is imported when a file names its format: most pipelines need one or two, and all of them take 10 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from pipekit.formats.base import FileFormat, FormatType

BUILT_IN_FORMATS = ("csv", "json", "parquet", "avro", "excel", "fixed_width")


class Formats(Mapping[str, FormatType]):
    """The built-in formats, imported when they are asked for, and others.

    Args:
        others: Those of plugins, by name.
    """

    def __init__(self, others: Mapping[str, FormatType] | None = None) -> None:
        self._others = dict(others or {})

    def __getitem__(self, name: str) -> FormatType:
        if name not in BUILT_IN_FORMATS:
            return self._others[name]
        kind: FormatType = import_module(f"pipekit.formats.{name}").FORMAT
        return kind

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN_FORMATS or name in self._others

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN_FORMATS
        yield from self._others

    def __len__(self) -> int:
        return len(BUILT_IN_FORMATS) + len(self._others)


def _built_in(value: Any) -> Any:
    """A mapping as the built-in format that its ``type`` names; the reader of the file gives formats of plugins."""
    if not isinstance(value, dict):
        return value
    kind = Formats().get(value.get("type", ""))
    if kind is None:
        raise ValueError(f"type: {value.get('type')!r} is not one of {', '.join(BUILT_IN_FORMATS)}")
    return kind.bound(kind.options.model_validate(value))


Format = Annotated[SerializeAsAny[FileFormat], BeforeValidator(_built_in)]
