"""Quotes and carriage returns inside unquoted values, which Snowflake takes as text: found in the physical lines.

COPY cannot distinguish ``"5"" disk"`` from ``5" disk``. So where a landed value holds a quote, the lines are landed as
they are. Whether a line begins inside a quoted value is the parity of the quotes above it, and then a pattern says
whether each quote is where RFC 4180 has one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipekit.errors import SourceError, short
from pipekit.files.shapes import blanks_of
from pipekit.formats.csv import CsvFormat
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.formats import raw_lines
from pipekit.warehouses.snowflake.landing import PLACE, PLACE_SELECT, PLACE_TYPES, CopyOptions, copy, create_landing
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession

_MARK, _RETURN = "\ufeff", "\r"
_BARE = f"REGEXP_REPLACE(\"LINE\", {text(_RETURN + '+$')}, '')"  # of a line that begins or ends inside quotes, too


def _ends_by_return(column: str) -> str:
    """Whether a line or a value ends by a carriage return, in SQL: of \\r\\r\\n COPY takes \\r\\n for the line end."""
    return f"ENDSWITH({column}, {text(_RETURN)})"


def _has_return(column: str) -> str:
    """Whether a carriage return is anywhere in it, in SQL."""
    return f"CONTAINS({column}, {text(_RETURN)})"


def _is_about_returns(line: str) -> bool:
    """Whether one of the two holds of a line that was refused."""
    return line.endswith(_RETURN) or _RETURN in line.rstrip(_RETURN)


def refuse_strays(
    warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, landed: str, columns: Sequence[str]
) -> None:
    """Refuse files in which a quote is inside an unquoted value, or a line begins with a byte order mark.

    Args:
        warehouse: The session.
        load: What is asked.
        files: Where it is staged.
        landed: SQL of the table of landed text.
        columns: SQL of its columns.

    Raises:
        SourceError: With the file and the physical line.
    """
    form = load.source.format
    assert isinstance(form, CsvFormat)
    marks = [_MARK, *([form.quote] if form.quote and form.quote_in_unquoted == "fail" else [])]
    suspected = " OR ".join(f"CONTAINS({column}, {text(mark)})" for column in columns for mark in marks)
    suspected += "".join(f" OR {_ends_by_return(column)}" for column in columns)
    if _refuses_returns(form):
        line_end = text("\r\n")
        suspected += "".join(" OR " + _has_return(f"REPLACE({column}, {line_end}, '')") for column in columns)
    escaped = form.escape is not None and form.escape != form.quote  # what it does before a letter is not documented
    if not escaped and not warehouse.execute(f"SELECT 1 FROM {landed} WHERE {suspected} LIMIT 1").rows:
        return
    lines = create_landing(warehouse, f'"LINE" VARCHAR, {PLACE_TYPES}')
    options = CopyOptions(raw_lines(form), f"SELECT $1, {PLACE_SELECT}")
    copy(warehouse, f'{lines} ("LINE", {PLACE})', files, [*files.names], options)
    for reported, line, found in warehouse.execute(_first_stray(form, lines)).rows:
        marked = str(found).startswith(_MARK)
        wrong = "begins with a byte order mark" if marked else "has a quote inside an unquoted value"
        wrong += ", or an escape before another character" if escaped and not marked else ""
        returns = not marked and _is_about_returns(str(found))
        wrong = "has a carriage return or a quote inside an unquoted value" if returns else wrong
        raise SourceError(
            f"the record {wrong}",
            file=files.find(reported).uri,
            line=int(line),
            value=short(str(found)),
            hint="Snowflake cannot set such a record aside, so the file is refused. Correct it"
            + (", or convert the line ends." if returns else "." if marked else ", or set `quote_in_unquoted: allow`."),
        )


def _refuses_returns(form: CsvFormat) -> bool:
    """Whether a carriage return may be looked for; with quotes as text it is not known which are inside quotes."""
    return form.quote is None or form.quote_in_unquoted == "fail"


def _first_stray(form: CsvFormat, lines: str) -> str:
    quote = form.quote
    twice = _ends_by_return('"LINE"')
    if quote:  # within quotes a value may end so
        twice += f" AND NOT ENDSWITH({_BARE}, {text(quote)})"
    joined = f'"ROWNO" > 1 AND STARTSWITH("LINE", {text(_MARK)})'
    if not quote:
        joined += f" OR {_has_return(_BARE)}"
    if not quote or form.quote_in_unquoted == "allow":
        return f'SELECT "FILE", "ROWNO", "LINE" FROM {lines} WHERE {joined} OR ({twice}) ORDER BY 1, 2 LIMIT 1'
    line = bare = _BARE
    if form.escape and form.escape != quote:
        bare = f"REPLACE(REPLACE({line}, {text(form.escape * 2)}, ''), {text(form.escape + quote)}, '')"
    outside, inside = _patterns(form)
    above = 'OVER (PARTITION BY "FILE" ORDER BY "ROWNO" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)'
    counted = (
        f'SELECT "FILE", "ROWNO", "LINE", {line} AS "TEXT", '
        f"LENGTH({bare}) - LENGTH(REPLACE({bare}, {text(quote)}, '')) AS \"QUOTES\" "
        f"FROM {lines}"
    )
    parity = f'SELECT *, COALESCE(SUM("QUOTES") {above}, 0) % 2 AS "INSIDE" FROM ({counted})'
    fits = f'IFF("INSIDE" = 0, REGEXP_LIKE("TEXT", {text(outside)}), REGEXP_LIKE("TEXT", {text(inside)}))'
    wrong = f'NOT {fits} OR ({joined}) OR (("INSIDE" + "QUOTES") % 2 = 0 AND {twice})'
    return f'SELECT "FILE", "ROWNO", "LINE" FROM ({parity}) WHERE {wrong} ORDER BY 1, 2 LIMIT 1'


def _patterns(form: CsvFormat) -> tuple[str, str]:
    """What a line looks like that begins outside of quotes, and one that begins inside."""
    quote, delimiter = _literal(form.quote or ""), "".join(map(_literal, form.delimiter))
    blanks = f"[{blanks_of(form).replace(form.delimiter, '')}]*" if form.trim else ""
    within = f"([^{form.quote}]|{quote}{quote})*"
    if form.escape and form.escape != form.quote:
        escape, either = _literal(form.escape), f"[{form.quote}{_in_set(form.escape)}]"
        within = f"([^{form.quote}{_in_set(form.escape)}]|{escape}{either})*"
    one = _in_set(form.delimiter) if len(form.delimiter) == 1 else ""  # a longer one may be in the text of a pattern
    plain = f"[^{form.quote}{one}{_RETURN}]*"
    field = f"({blanks}{quote}{within}{quote}{blanks}|{plain})"
    opened = f"{blanks}{quote}{within}"
    outside = f"({field}{delimiter})*({field}|{opened})"
    inside = f"{within}({quote}{blanks}({delimiter}{field})*({delimiter}{opened})?)?"
    return outside, inside


def _literal(character: str) -> str:
    return f"[{character}]" if re.fullmatch(r"[^\w\\^\]]", character) else re.escape(character)


def _in_set(character: str) -> str:
    return f"\\{character}" if character in "\\]^-" else character
