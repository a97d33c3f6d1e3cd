"""Where the records are in a JSON document: below a root, or the document itself is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipekit.inference.model import Shape

_FEWEST_ALIKE = 3
_FEWEST_INSIDE = 10  # an object inside a document holds records by their keys, and not a few parts of one
_DEPTH = 3
_MOST_LOOKED_AT = 200
_MOST_NAMED = 5
_SIGNS = ".[]*^$"  # which a path cannot name


def shape_of_document(document: Any, form: Mapping[str, Any]) -> Shape:
    """The shape of a file that is one JSON object.

    Args:
        document: The object; empty if it could not be read.
        form: The keys of ``format:`` that are known already.
    """
    roots = {"*": len(document)} if is_map(document, _FEWEST_ALIKE) else _roots(document)
    if not roots:
        return Shape(form, tuple(document), document=tuple(document))
    root = max(roots, key=lambda each: roots[each])
    names = dict.fromkeys(key for each in _at(document, root)[:_MOST_LOOKED_AT] for key in each)
    return Shape(
        {**form, "root": root},
        tuple(names),
        doubts=tuple(_left_out(document, root, roots)),
        document=() if root == "*" else tuple(document),
    )


def is_map(document: Any, fewest: int) -> bool:
    """Whether an object holds records by their keys: objects that are alike."""
    values = [*document.values()] if isinstance(document, dict) else []
    if len(values) < fewest or not all(isinstance(each, dict) and each for each in values):
        return False
    return all(2 * len(values[0].keys() & each.keys()) >= len(values[0].keys() | each.keys()) for each in values[:50])


def _roots(document: Any, path: str = "", depth: int = _DEPTH) -> dict[str, int]:
    """Where lists of objects are, and objects that hold records by their keys, and how many."""
    found: dict[str, int] = {}
    for key, value in document.items() if isinstance(document, dict) and depth else ():
        if not key or any(sign in key for sign in _SIGNS):
            continue
        here = f"{path}.{key}" if path else key
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            found[here] = len(value)
        elif is_map(value, _FEWEST_INSIDE):
            found[f"{here}.*"] = len(value)
        else:
            found |= _roots(value, here, depth - 1)
    return found


def _at(document: Any, root: str) -> list[Any]:
    for key in root.split("."):
        document = [*document.values()] if key == "*" else document[key]
    return list(document)


def _left_out(document: Any, root: str, roots: Mapping[str, int]) -> list[str]:
    """What of the document is in none of its records."""
    top = root.split(".", maxsplit=1)[0]
    others = [key for key in document if key != top] if root != "*" else []
    more = [f"`root: {each}` takes {count:,} others" for each, count in roots.items() if each != root]
    if not others and not more:
        return []
    named = ", ".join(f"`{key}`" for key in others[:_MOST_NAMED]) + " ..." * (len(others) > _MOST_NAMED)
    text = f"the {roots[root]:,} records below `{root}` of the document are taken"
    text += f", not its {named}" if named else ""
    return [text + "".join(f"; {each}" for each in more[:_MOST_NAMED])]
