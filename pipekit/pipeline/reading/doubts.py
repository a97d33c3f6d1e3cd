"""What is doubtful in the SQL of a valid file: functions that no rule covers, columns without a name or hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipekit.errors import TemplateError
from pipekit.names import Table
from pipekit.pipeline.model import PipelineSpec, Step
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


def doubt_names(reading: Reading, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]) -> None:
    """Note each column of a step's SQL that has no name; its types are known by a number after ``$`` then."""
    for index, step in steps:
        key = next((key for key in ("sql", "template") if getattr(step.options, key, None) is not None), None)
        for number, name in enumerate(spec.typed_tables.made_by(step) or () if key else (), 1):
            if name.startswith("$"):
                text = f"column {number} of the SELECT has no name, and each engine gives it another"
                reading.doubt(("steps", index, key or ""), f"{text}; write AS and a name after it")


def doubt_hidden_columns(reading: Reading, spec: PipelineSpec, steps: Sequence[tuple[int, Step]]) -> None:
    """Note each feature that takes the place of a column of its spine with another value."""
    for index, step in steps:
        features, spine = getattr(step.options, "features", None), getattr(step.options, "from_", None)
        types = (spec.typed_tables(Table.parse(spine)) if features and spine else None) or {}
        for name, feature in (features or {}).items():
            if name.lower() in types and feature.is_own and feature.sql.strip().lower() != name.lower():
                text = f"{spine} has a column {name} already, which this hides; give the feature another name"
                reading.doubt(("steps", index, "features", name), text)


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
