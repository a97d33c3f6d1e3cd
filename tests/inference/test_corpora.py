"""Files of schemas that are known: what is inferred loads all of them, with types that are equal or wider."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipekit
from inference.corpora import corpus, holds
from pipekit.inference.infer import infer
from pipekit.pipeline.model import PipelineSpec

SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 60))]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_inferred_takes_every_record_and_is_never_narrower(seed: int, tmp_path: Path) -> None:
    made = corpus(seed, tmp_path / "data")
    found = infer(made.folder, to=tmp_path / "p.yaml")
    (tmp_path / "p.yaml").write_text(found.text, encoding="utf-8")
    pipeline = pipekit.Pipeline.from_file(tmp_path / "p.yaml")
    result = pipeline.run()
    assert result.ok, f"{result.errors}\n{found.text}"
    assert sum(result.rows.values()) == made.rows
    assert "on_error" not in found.text
    narrower = [each for each in _types(pipeline.spec, made.types) if not holds(*each[1:])]
    assert narrower == [], found.text


def _types(spec: PipelineSpec, known: dict[str, str]) -> list[tuple[str, str, str]]:
    [source] = spec.sources.values()
    columns = {column.source_name.strip(): str(column.type) for column in source.columns}
    return [(name, columns[name], type_) for name, type_ in known.items()]
