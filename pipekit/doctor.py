"""What a run needs, checked one by one: folders, the warehouse, every source. A failure does not stop the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from pipekit.errors import PipekitError, WarehouseError
from pipekit.files.listing import list_files
from pipekit.findings import Finding, files_of, tried
from pipekit.pipeline.model import PipelineSpec
from pipekit.project import logs_folder, state_folder
from pipekit.warehouses.contract import Warehouse


def look_at(spec: PipelineSpec) -> Iterator[Finding]:
    """Everything that a run of this pipeline needs, one finding after another."""
    yield _writable("state", spec.state)
    yield _writable("logs", spec.logs)
    kind = spec.target.type
    if kind.doctor is None:
        yield from _plain(spec)
        return
    try:
        for finding in kind.doctor(spec.target.options, list(spec.sources.values()), spec.root):
            yield _foreseen(finding, spec)
    except PipekitError as error:
        yield Finding("warehouse", False, error.message.splitlines()[0])


def look_at_folders(root: Path) -> Iterator[Finding]:
    """The folders of a project whose file cannot be read."""
    for name, folder_of in {"state": state_folder, "logs": logs_folder}.items():
        with suppress(ValueError):  # the file's own mistakes name it
            yield _writable(name, folder_of(root))


def _writable(name: str, folder: Path) -> Finding:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(nearest, os.W_OK) and nearest.is_dir():
        return Finding(name, True, f"{folder} can be written")
    return Finding(
        name, False, f"{folder} cannot be written; set PIPEKIT_{name.upper()}, or `{name}` in [tool.pipekit]"
    )


def _plain(spec: PipelineSpec) -> Iterator[Finding]:
    """The connection, and the sources: also if there is none, since then they are listed without it."""
    opened: list[Warehouse] = []
    sources = list(spec.sources.values())

    def connect() -> str:
        opened.append(spec.open())
        return f"{spec.target.type.name} can be opened"

    try:
        yield tried("warehouse", connect)
        listing = opened[0].list_files if opened else list_files
        for source in sources:
            yield _foreseen(files_of(source.name, source.uri, partial(listing, source)), spec)
    finally:
        for warehouse in opened:
            with suppress(WarehouseError):
                warehouse.close()


def _foreseen(finding: Finding, spec: PipelineSpec) -> Finding:
    """A source without files is a warning where a load of it would fail, as ``plan`` says too."""
    needing = [
        step.id
        for step in spec.steps
        if finding.name == f"source {getattr(step.options, 'source', None)}"
        and getattr(step.options, "on_empty", None) == "fail"
    ]
    if not finding.empty or not needing:
        return finding
    text = f"{finding.text}: {', '.join(needing)} would fail; if an empty source is fine, set on_empty: allow"
    return finding._replace(text=text, warns=True)
