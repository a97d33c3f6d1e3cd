"""A hash of a step's definition: it changes whenever the step would do something else."""

from __future__ import annotations

import hashlib
from typing import Any

from pipekit.pipeline.code import source_of
from pipekit.pipeline.model import PipelineSpec, Step, canonical


def definition_hash(spec: PipelineSpec, step: Step) -> str:
    """Changes when anything that defines the step does: options, templates, source, suites, code, variables."""
    options = step.options.model_dump(mode="json", by_alias=True)
    templates = {name: spec.template_source(name) for name in _named(options, "template")}
    source = spec.written_sources.get(str(options.get("source", "")))
    used = [repr(suite) for suite in spec.suites_of(step)]
    code = [source_of(spec.root / "plugins", reference) for reference in _named(options, "call")]
    parts = [step.type.name, options, templates, source.model_dump(mode="json") if source else None, used, code]
    if templates or _named(options, "sql") or _named(options, "where"):
        parts.append(dict(spec.variables))
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:16]


def _named(options: Any, key: str) -> list[str]:
    if isinstance(options, dict):
        own = [options[key]] if isinstance(options.get(key), str) else []
        return own + [name for value in options.values() for name in _named(value, key)]
    if isinstance(options, list):
        return [name for value in options for name in _named(value, key)]
    return []
