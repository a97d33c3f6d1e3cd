"""Functions that no rule covers: each is a doubt, at the place where it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipekit.errors import TemplateError
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.reading.rendering import SQL_KEYS, Reading
from pipekit.pipeline.reading.tree import Node
from pipekit.quality.custom_sql import QUERY
from pipekit.sql.places import line_and_column
from pipekit.sql.unproven import unknown_function

Place = tuple[str | int, ...]


def doubt_functions(reading: Reading, spec: PipelineSpec) -> None:
    """Note each function whose values are not proven equal on the target's engine, where it is called first."""
    texts = list(_texts(reading.tree, (), spec)) if spec.unproven else []
    for name in spec.unproven:
        call = re.compile(rf"\b{re.escape(name)}\s*\(", re.IGNORECASE)
        reason = unknown_function(name, spec.target.type.dialect)
        for path, text, file in texts:
            if found := call.search(text):
                line, column = line_and_column(text, found.start())
                reading.doubt_sql(path, TemplateError(reason, line=line, column=column), file)
                break
        else:
            reading.doubt((), reason)


def _texts(node: Node, path: Place, spec: PipelineSpec) -> Iterator[tuple[Place, str, Path | None]]:
    """Each text of SQL in the file, and of each template, with its place."""
    children: Any = node.value.items() if isinstance(node.value, dict) else ()
    for key, child in enumerate(node.value) if isinstance(node.value, list) else children:
        place = (*path, key)
        if key in (*SQL_KEYS, QUERY) and isinstance(child.value, str):
            yield place, child.value, None
        elif key == "template" and (file := spec.template_file(str(child.value))) is not None:
            yield place, file.read_text(encoding="utf-8-sig"), file
        else:
            yield from _texts(child, place, spec)
