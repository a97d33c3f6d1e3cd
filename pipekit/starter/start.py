"""Write a new project."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from pipekit.errors import PipekitError
from pipekit.pipeline.schema import pipeline_schema
from pipekit.plugins.registry import Plugins

SCHEMA = "pipeline.schema.json"
_FILES = {
    "pipelines/shop.yaml": "shop.yaml",
    "tests/shop.yaml": "shop.tests.yaml",
    "templates/customer_orders.sql": "customer_orders.sql",
    "data/orders/orders-2024-06-01.csv": "orders-2024-06-01.csv",
    "data/orders/orders-2024-06-02.csv": "orders-2024-06-02.csv",
    "data/customers/customers.json": "customers.json",
    ".gitignore": "gitignore",
    ".vscode/settings.json": "settings.json",
}


class TakenError(PipekitError):
    """A file of the new project is there already."""

    exit_code = 2


def start_project(folder: Path) -> list[Path]:
    """Write a project that runs at once: data, a pipeline with comments, a template, tests, and what editors need.

    Args:
        folder: Where; it is made if it is not there.

    Returns:
        The files.

    Raises:
        TakenError: One of the files is there already, or cannot be written.
    """
    kept = resources.files("pipekit.starter").joinpath("files")
    texts = {folder / name: kept.joinpath(each).read_text(encoding="utf-8") for name, each in _FILES.items()}
    schema = pipeline_schema(Plugins(folder, project_code=False).vocabulary)
    texts[folder / SCHEMA] = json.dumps(schema, sort_keys=True) + "\n"
    if taken := [str(path) for path in texts if path.exists()]:
        raise TakenError(f"there already: {', '.join(taken)}", kept="Nothing was written.", hint="Name another folder.")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TakenError(f"cannot write {error.filename}: {error.strerror}", hint="Name another folder.") from error
    return list(texts)
