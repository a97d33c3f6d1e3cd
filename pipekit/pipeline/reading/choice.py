"""The materialization that a step names, and the keys that come with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from pipekit.materialize.builtin import Registry
from pipekit.materialize.contract import Choice, Materialization, Use
from pipekit.materialize.into import TableOptions
from pipekit.pipeline.reading.checking import checked
from pipekit.pipeline.reading.rendering import Reading
from pipekit.suggestions import did_you_mean

Path = tuple[str | int, ...]


def with_choice(reading: Reading, options: type[BaseModel], data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the file says of a step, with the value in the place of the materialization's name and keys.

    Mistakes in the name and in the keys are noted; then the step's default stands there, and the rest can be checked.
    """
    if not issubclass(options, TableOptions):
        return dict(data)
    use, registry = options.chosen_by, reading.vocabulary.materializations
    default = options.default_choice()
    own, takers = key_names(options), takers_of(registry, use)
    name = data.get(use, default.how.name)
    how = registry[use].get(name) if isinstance(name, str) else None
    choice = None
    if how is None:
        reading.note((*path, use), _unknown(use, name, registry))
    else:
        given = {**options.default_keys(data), **data}
        foreign, missing = list(_foreign(how, use, data, own, takers)), list(_missing(how, given))
        for key, text in foreign:
            reading.note((*path, key), text)
        for key, text in missing:
            reading.note_absent((*path, key), text, (*path, use))
        taken = {key: given[key] for key in key_names(how.keys) if key in given}
        keys = None if foreign or missing else checked(reading, how.keys, taken, path)
        choice = Choice(how, keys) if keys is not None else None
    rest = {key: value for key, value in data.items() if key in own or key not in takers}
    return {**rest, use: choice or default}


def keys_of_choices(options: type[BaseModel], registry: Registry) -> list[str]:
    """Keys that a step may have by one materialization or another; none for a step that fills no table."""
    return list(takers_of(registry, options.chosen_by)) if issubclass(options, TableOptions) else []


def key_names(model: type[BaseModel]) -> dict[str, bool]:
    """The keys of a model as the file writes them, and whether each must be given."""
    return {field.alias or name: field.is_required() for name, field in model.model_fields.items()}


def takers_of(registry: Registry, use: Use) -> dict[str, list[str]]:
    """Each key of a materialization, with the names of those that take it."""
    found: dict[str, list[str]] = {}
    for name, how in sorted(registry[use].items()):
        for key in key_names(how.keys):
            found.setdefault(key, []).append(name)
    return found


def _unknown(use: Use, name: Any, registry: Registry) -> str:
    known = sorted(registry[use])
    elsewhere = [other for other in registry if other != use and isinstance(name, str) and name in registry[other]]
    if elsewhere:
        return f"{name} is for {elsewhere[0]}, not for {use}; one of {', '.join(known)}"
    return f"unknown {use} {name!r}{did_you_mean(str(name), known)}; one of {', '.join(known)}"


def _foreign(
    how: Materialization[Any], use: Use, data: Mapping[str, Any], own: Mapping[str, bool], takers: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for key in data:
        if key in takers and key not in own and key not in key_names(how.keys):
            if use in data:
                yield key, f"means nothing with {use}: {how.name}; it belongs to {', '.join(takers[key])}"
            else:
                text = f"{use} is not given, so it is {how.name}, which takes no {key}"
                yield key, f"{text}; write {use}: {' or '.join(takers[key])}, or remove {key}"


def _missing(how: Materialization[Any], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, required in key_names(how.keys).items():
        if required and key not in data:
            yield key, f"{how.name} needs {key}"
