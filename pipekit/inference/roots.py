"""Where the records are in a JSON document: below a root, or the document itself is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipekit.inference.model import Shape

_FEWEST_ALIKE = 3
_FEWEST_PLAIN = 100  # texts or numbers by their keys: fewer may well be one record
_MOST_KEYS = 300
_MANY = 50
_FEWEST_INSIDE = 10  # an object inside a document holds records by their keys, and not a few parts of one
_DEPTH = 3
_MOST_LOOKED_AT = 200
_MOST_NAMED = 5
_SIGNS = ".[]*^$"  # which a path cannot name


def shape_of_document(document: Any, form: Mapping[str, Any]) -> tuple[Shape | None, str]:
    """The shape of a file that is one JSON object, or why there is none.

    Args:
        document: The object; empty if it could not be read.
        form: The keys of ``format:`` that are known already.
    """
    roots = _roots(document)
    keys = tuple(document)
    if not roots and len(keys) > _MOST_KEYS:
        return None, f"is one object of {len(keys):,} keys that are not alike: no records are found in it"
    empty = tuple(_empty_at(document))
    if not roots:
        return Shape(form, keys, document=keys, empty_at=empty), ""
    root = max(roots, key=lambda each: (roots[each], -each.count(".")))
    records = _at(document, root)
    names = dict.fromkeys(key for each in records[:_MOST_LOOKED_AT] if isinstance(each, dict) for key in each)
    doubts = () if root == "*" and names else tuple(_left_out(document, root, roots))
    named = () if "*" in root[:1] else keys
    return Shape({**form, "root": root}, tuple(names), doubts=doubts, document=named, empty_at=empty), ""


def _empty_at(value: Any, path: str = "", depth: int = _DEPTH) -> Iterator[str]:
    """Where a document holds an empty list."""
    for key, inner in value.items() if isinstance(value, dict) and depth else ():
        below = f"{path}.{key}" if path else key
        if inner == []:
            yield below
        else:
            yield from _empty_at(inner, below, depth - 1)


def _records_in(value: Any, fewest: int) -> dict[str, int]:
    """Where a value holds records itself, and how many: as the elements of a list, or by the keys of an object."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return {"": len(value)}
    return {"*": len(value)} if is_map(value, fewest) else {}


def _lists_or_plain(document: Any) -> dict[str, int]:
    """The same of a whole document whose values are lists of records, or plain values that are many."""
    values = [*document.values()] if isinstance(document, dict) else []
    lists = [each for each in values if isinstance(each, list) and all(isinstance(one, dict) for one in each)]
    firsts = {number: each[0] for number, each in enumerate(lists) if each}
    if len(lists) == len(values) and (len(firsts) >= _FEWEST_INSIDE or is_map(firsts, _FEWEST_ALIKE)):
        return {"*[*]": sum(map(len, lists))}
    plain = {"text" if isinstance(each, str) else "number" if _is_number(each) else "" for each in values}
    return {"*": len(values)} if len(values) >= _FEWEST_PLAIN and len(plain) == 1 and "" not in plain else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_map(document: Any, fewest: int) -> bool:
    """Whether an object holds records by their keys: objects that are alike, or too many to be parts of one."""
    values = [*document.values()] if isinstance(document, dict) else []
    if len(values) < fewest or not all(isinstance(each, dict) for each in values):
        return False
    filled = [each for each in values if each]
    if len(filled) >= _MANY and 2 * len(filled) > len(values):
        return True
    alike = (2 * len(values[0].keys() & each.keys()) >= len(values[0].keys() | each.keys()) for each in filled[:_MANY])
    return len(filled) == len(values) and all(alike)


def _roots(value: Any, path: str = "", depth: int = _DEPTH) -> dict[str, int]:
    """Where the records of a document are, and how many: in the document itself, or else somewhere below it."""
    own = _records_in(value, _FEWEST_INSIDE) if path else _records_in(value, _FEWEST_ALIKE) or _lists_or_plain(value)
    if own:
        return {".".join(filter(None, (path, below))): count for below, count in own.items()}
    found: dict[str, int] = {}
    for key, inner in value.items() if isinstance(value, dict) and depth else ():
        if key and not any(sign in key for sign in _SIGNS):
            found |= _roots(inner, f"{path}.{key}" if path else key, depth - 1)
    return found


def _at(document: Any, root: str) -> list[Any]:
    for key in root.split("."):
        values = [*document.values()] if key.startswith("*") else document[key]
        document = [one for each in values for one in each] if key.endswith("[*]") else values
    return list(document)


def _left_out(document: Any, root: str, roots: Mapping[str, int]) -> list[str]:
    """What of the document is in none of its records."""
    if root == "*":
        return [f"each of the {roots[root]:,} values of the object is taken for a record, with its key in `record_key`"]
    top = root.split(".", maxsplit=1)[0]
    others = [key for key in document if key != top] if not root.startswith("*") else []
    more = [f"`root: {each}` takes {count:,} others" for each, count in roots.items() if each != root]
    if not others and not more:
        return []
    named = ", ".join(f"`{key}`" for key in others[:_MOST_NAMED]) + " ..." * (len(others) > _MOST_NAMED)
    text = f"the {roots[root]:,} records below `{root}` of the document are taken"
    text += f", not its {named}" if named else ""
    return [text + "".join(f"; {each}" for each in more[:_MOST_NAMED])]
