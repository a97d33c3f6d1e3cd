"""What is wrong with a text that is not one query: where it is, in plain words, and what to write in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipekit.errors import TemplateError
from pipekit.sql import reserved
from pipekit.sql.dialect import Dialect
from pipekit.sql.places import line_and_column
from pipekit.suggestions import did_you_mean

_ONE = "exactly one SELECT is wanted here"
_STARTS = ("select", "with")
_KEYWORDS = (
    *("from", "where", "group", "having", "order", "limit", "join", "left", "union", "qualify", "and", "as", "by"),
    *("on", "in", "between", "over", "then", "else", "end"),
)
_TYPES = (
    *("integer", "number", "float", "varchar", "boolean", "date", "time", "timestamp", "timestamp_ntz", "timestamp_tz"),
    *("variant", "object", "array", "binary"),
)
_BEFORE = "; is a comma, an operator or a bracket missing before it?"
_EXPECTING = re.compile(r"Expecting (\S)\.?")
_INCOMPLETE = re.compile(r"Required keyword: .* missing for <class ")
_UNENDED = re.compile(r"Expected (END) after (CASE)")
_QUOTED = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$|(?P<open>['\"])", re.DOTALL
)
_OPENING = {")": "(", "]": "[", "}": "{"}
_IN_ITS_PLACE = {
    "DELETE": "a step replaces rows by materialize: truncate_load or replace_where",
    "TRUNCATE": "a step replaces all rows by materialize: truncate_load",
    "INSERT": "write only its SELECT; materialize: append adds the rows",
    "UPDATE": "write the SELECT of the new rows; materialize: merge puts them in place of the old ones",
    "MERGE": "write the SELECT of the new rows; materialize: merge with key does the rest",
    "CREATE": "write only its SELECT; a step makes the table, with materialize: view a view",
    "DROP": "a step rebuilds its table by itself; other tables are dropped with the engine's own client",
    "VALUES": "write SELECT * FROM (VALUES ...)",
}
"""What a step offers for a statement that changes something."""


def refuse_all_but_one_query(statements: Sequence[Any], text: str, read: Dialect) -> Any:
    """The one query among the parsed statements of a text.

    Raises:
        TemplateError: There is none, or there is something else; with the place of the first statement too many.
    """
    from sqlglot import exp

    found = [tree for tree in statements if tree is not None and not isinstance(tree, exp.Semicolon)]
    changing = next((number for number, tree in enumerate(found) if not isinstance(tree, exp.Query)), None)
    if len(found) == 1 and changing is None:
        return found[0]
    if not found:
        raise TemplateError(f"holds no statement; {_ONE}")
    number = 1 if changing is None else changing
    begins = _beginnings(text, read)
    line, column = begins[number] if number < len(begins) else (None, None)
    if changing is None:
        reason = f"a second SELECT begins here, and {_ONE}: put it into a step of its own"
    else:
        word = _word(found[number], text, (line, column))
        reason = f"{word} is not allowed; {_ONE}"
        reason += f": {_IN_ITS_PLACE[word]}" if word in _IN_ITS_PLACE else "; a step's SQL changes nothing by itself"
    raise TemplateError(reason, line=line, column=column)


def refuse_parameters(tree: Any) -> None:
    """Refuse ``:name``, for which a client would put in a value.

    Raises:
        TemplateError: There is one.
    """
    from sqlglot import exp

    for node in tree.find_all(exp.Placeholder):
        if isinstance(name := node.this, str) and name.isidentifier():
            raise TemplateError(f"holds :{name}, which has no value here; write {{{{ var({name!r}) }}}}")


def _word(tree: Any, text: str, at: tuple[int | None, int | None]) -> str:
    """The word that says what a statement does."""
    line, column = at
    written = re.match(r"\w+", text.split("\n")[line - 1][column - 1 :]) if line and column else None
    first = written[0].upper() if written else ""
    return first if first and first != "WITH" else str(tree.key).upper()


def _beginnings(text: str, read: Dialect) -> list[tuple[int, int]]:
    """Line and column, from 1, of the first word of each statement."""
    import sqlglot

    tokens = list(sqlglot.tokenize(text, read=read.name))
    begins = [second for first, second in pairwise([None, *tokens]) if first is None or first.text == ";"]
    return [line_and_column(text, token.start) for token in begins if token is not None and token.text != ";"]


def _open_quote(text: str) -> int | None:
    """Where a quote begins that nothing closes."""
    return next((found.start() for found in _QUOTED.finditer(text) if found["open"]), None)


def syntax_error(error: Any, text: str, read: Dialect) -> TemplateError:
    """What sqlglot could not parse, at its place and without the parser's own terms."""
    details = (getattr(error, "errors", None) or [{}])[0]
    said = details.get("description") or str(error).splitlines()[0]
    near = details.get("highlight")
    if (opened := _open_quote(text)) is not None:
        at = line_and_column(text, opened)
        return TemplateError(f"the quote {text[opened]} that begins here is not closed", line=at[0], column=at[1])
    if (named := _reserved_name(text, details, read)) is not None:
        return named
    column = details["col"] - len(near) + 1 if near and details.get("col") else None
    if _INCOMPLETE.match(said):  # names a class of sqlglot
        own = near and near not in (")", "AS")  # those are of what is made around a text of the file
        said, near = "the SQL is incomplete" + (f": something is missing after {near!r}" if own else ""), None
    first = (text.split(maxsplit=1) or [""])[0]
    if first.isalpha() and first.lower() not in _STARTS:
        line, column = line_and_column(text, text.index(first))
        meant = did_you_mean(first.lower(), _STARTS, otherwise="; a SELECT is wanted here")
        return TemplateError(f"the SQL begins with {first!r}{meant}", line=line, column=column)
    if near and (wanted := _EXPECTING.fullmatch(said)):
        return _not_closed(wanted[1], near, text, (details.get("line"), column), read)
    if near and "Unexpected token" in said:
        said = f"unexpected {near!r}{did_you_mean(near.lower(), _KEYWORDS, otherwise=_BEFORE, alike=0.7)}"
        if near.lower() == "select":
            said = f"{near!r} inside a query; a query inside another is written in brackets: (select ...)"
    elif near and said.startswith("Expected table name"):
        said = f"the name of a table is expected here, not {near!r}"
    elif near and said.startswith("Expected type"):
        said = f"{near!r} is not a type{did_you_mean(near.lower(), _TYPES)}"
    elif clause := _UNENDED.match(said):
        said = f"a {clause[2]} is not closed by {clause[1]}"
    elif near:
        said = said.rstrip(".") + f", near {near!r}"
    return TemplateError(said.rstrip("."), line=details.get("line"), column=column)


def _reserved_name(text: str, details: dict[str, Any], read: Dialect) -> TemplateError | None:
    """The mistake of a reserved word that stands for a name, if that is why the parser stopped."""
    import sqlglot

    line, column = details.get("line"), details.get("col")
    if not line or not column or not details.get("highlight") or not read.is_project_sql:
        return None
    tokens = list(sqlglot.tokenize(text, read=read.name))
    stopped = next((at for at, token in enumerate(tokens) if (token.line, token.col) >= (line, column)), len(tokens))
    written = ["" if text[token.start] in "'\"$" else token.text.upper() for token in tokens]
    at = reserved.meant_as_a_name(written, stopped)
    if at is None:
        return None
    word, (line, column) = text[tokens[at].start : tokens[at].end + 1], line_and_column(text, tokens[at].start)
    wrong = f"{word!r} is a reserved word of Snowflake and cannot be a name"
    return TemplateError(f"{wrong}; {reserved.way_out(word)}", line=line, column=column)


def _not_closed(wanted: str, near: str, text: str, at: tuple[int | None, int | None], read: Dialect) -> TemplateError:
    """A bracket that is missing: reported where the one begins that it would close."""
    line, column = at
    opened = _still_open(text, (line or 0, column or 0), read) if wanted in _OPENING else None
    if opened is None or opened[0] != _OPENING[wanted]:
        return TemplateError(f"{wanted!r} is missing before {near!r}", line=line, column=column)
    return TemplateError(
        f"the {opened[0]!r} that begins here is not closed before {near!r}", line=opened[1][0], column=opened[1][1]
    )


def _still_open(text: str, before: tuple[int, int], read: Dialect) -> tuple[str, tuple[int, int]] | None:
    """The innermost bracket that is open at a place, with where it is."""
    import sqlglot

    opened: list[tuple[str, tuple[int, int]]] = []
    for token in sqlglot.tokenize(text, read=read.name):
        place = line_and_column(text, token.start)
        if place >= before:
            break
        if token.text in _OPENING.values():
            opened.append((token.text, place))
        elif token.text in _OPENING and opened:
            opened.pop()
    return opened[-1] if opened else None
