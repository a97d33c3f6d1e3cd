"""The section ``notify``: who is notified of a run that failed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipekit.notify.receivers import Receiver, ReceiverKeys, hide_address, problem_with
from pipekit.pipeline.model import Vocabulary
from pipekit.pipeline.reading.checking import checked
from pipekit.pipeline.reading.keys import IDENTIFIER
from pipekit.pipeline.reading.rendering import Reading, as_list, put_in_includes, render_tree, render_variables
from pipekit.pipeline.reading.values import FileValues
from pipekit.project import find_root
from pipekit.suggestions import did_you_mean


def read_receivers(reading: Reading) -> tuple[Receiver, ...]:
    """The valid receivers of alerts, in file order. Their addresses are secrets from here on."""
    nodes = reading.mapping("notify")
    for node in nodes.values():
        url = node.get("url") if isinstance(node.value, dict) else None
        if url is not None and isinstance(url.value, str):
            hide_address(url.value)
    return tuple(receiver for name in nodes if (receiver := _receiver(reading, name)) is not None)


def check_targets_of_receivers(reading: Reading) -> None:
    """Note ``targets`` of receivers that neither the file nor its includes have. Before receivers are rendered.

    Those for another target than the chosen one are not read later, and a misspelt target is another one.
    """
    known = list(reading.mapping("targets")) or ["local"]
    for name, node in reading.mapping("notify").items():
        listed = node.get("targets") if isinstance(node.value, dict) else None
        for target in as_list(listed):
            if isinstance(target, str) and target not in known:
                others = f"; the targets are {', '.join(known)}"
                text = f"there is no target {target!r}{did_you_mean(target, known, otherwise=others)}"
                reading.note(("notify", name, "targets"), text)


def _receiver(reading: Reading, name: str) -> Receiver | None:
    path, data = ("notify", name), reading.mapping("notify")[name].plain()
    if not isinstance(data, dict):
        reading.note(path, "must hold url or command")
        return None
    if not re.fullmatch(IDENTIFIER, name):
        reading.note(path, "a receiver's name is letters, digits, _ and -, and does not begin with a digit")
        return None
    keys = checked(reading, ReceiverKeys, data, path)
    if keys is None:
        return None
    if keys.command is not None and not reading.vocabulary.project_code:
        reading.note((*path, "command"), "runs a program, which --no-plugins forbids")
        return None
    if problem := problem_with(keys, reading.root):
        reading.note((*path, problem[0]), problem[1])
        return None
    return Receiver.of(name, keys)


class Alone(NamedTuple):
    """What can be read of a file for an alert about it."""

    name: str
    target: str
    receivers: tuple[Receiver, ...]


def receivers_alone(path: Path, vocabulary: Vocabulary, target: str | None, variables: Mapping[str, Any]) -> Alone:
    """The receivers of a file with mistakes, which is read no further.

    Raises:
        SpecError: It is not YAML.
    """
    reading = Reading.of(path, find_root(path), vocabulary)
    put_in_includes(reading)
    known = render_variables(reading, variables)
    render_tree(reading, FileValues(known, vocabulary.template_globals, reading.root), target)
    name = reading.value("name", "")
    return Alone(str(name), target or str(reading.value("target", "local")), read_receivers(reading))
