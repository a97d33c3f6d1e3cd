"""A second table in a staged CSV file, below an empty line or a line of delimiters alone.

COPY leaves empty lines out, and a table of text has no order. So where all columns are texts and a landed record could
be a header, the lines are landed as they are, and those around the first such line of each file are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

from pipekit.errors import SourceError, short
from pipekit.files.csv_records import CsvReader
from pipekit.files.csv_tables import (
    DELIMITERS,
    EMPTY_LINE,
    MOST_TITLES,
    Parting,
    is_bare,
    is_other_header,
    is_title,
    same_names,
    without_last_empty,
)
from pipekit.files.shapes import BLANKS
from pipekit.files.verdicts import ONE_TABLE
from pipekit.formats.base import are_names
from pipekit.formats.csv import CsvFormat
from pipekit.source import SourceFile
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.csv_headers import Header
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.formats import raw_lines
from pipekit.warehouses.snowflake.landing import (
    PLACE,
    PLACE_SELECT,
    PLACE_TYPES,
    CopyOptions,
    copy,
    create_landing,
    unreadable_records,
)
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession

_NAME = "([A-Za-z_]|[^ -~])([A-Za-z0-9_ .%()/#-]|[^ -~]){0,63}"  # or a little more, which is looked at here
_CANDIDATES = 20


def refuse_tables(
    warehouse: SnowflakeSession,
    load: FileLoad,
    files: StagedFiles,
    landed: str,
    headers: Mapping[SourceFile, Header],
) -> None:
    """Refuse files with a second table, where its rows would be taken for records of the first.

    Args:
        warehouse: The session.
        load: What is asked.
        files: Where it is staged.
        landed: SQL of the table of landed text, with the columns V1 to Vn.
        headers: Of each file.

    Raises:
        SourceError: With the file and the line of the other header.
    """
    form = load.source.format
    assert isinstance(form, CsvFormat)
    columns = [f'"V{number}"' for number in range(1, len(load.source.columns) + 1)]
    named = " AND ".join(f"COALESCE(REGEXP_LIKE({column}, {text(_NAME)}), TRUE)" for column in columns)
    filled = " + ".join(f"IFF({column} IS NULL, 0, 1)" for column in columns)
    if not warehouse.execute(
        f"SELECT 1 FROM {landed} WHERE {named} AND {filled} >= {min(2, len(columns))} LIMIT 1"
    ).rows:
        return
    lines = create_landing(warehouse, f'"LINE" VARCHAR, {PLACE_TYPES}')
    options = raw_lines(form).replace("SKIP_BLANK_LINES = TRUE", "SKIP_BLANK_LINES = FALSE")
    copied = copy(
        warehouse,
        f'{lines} ("LINE", {PLACE})',
        files,
        [*files.names],
        CopyOptions(options, f"SELECT $1, {PLACE_SELECT}", "CONTINUE"),
    )
    gaps: dict[SourceFile, list[int]] = {}
    for bad in unreadable_records(warehouse, f'{lines} ("LINE")', files, copied, options):
        if not (bad.raw or "").strip():
            gaps.setdefault(bad.file, []).append(bad.line)
    look = _Look(form)
    skip = max((each.skip for each in headers.values()), default=0) - form.lines_above
    seen: set[SourceFile] = set()
    for name, number, line, below, *above in warehouse.execute(_first_names(form, lines, skip)).rows:
        file = files.find(name)
        if file not in seen and look.are_other_names(line, headers[file]):
            seen.add(file)
            look.refuse(file, headers[file], sorted(gaps.get(file, [])), _Lines(number, line, below, above))


def _first_names(form: CsvFormat, lines: str, skip: int) -> str:
    """SQL of the first lines of each file that could be a header: number, text, the line below, and those above."""
    quote = f"[{form.quote}]?" if form.quote else ""
    delimiter = "".join(f"[{mark}]" if mark not in "\\^]" else f"\\{mark}" for mark in form.delimiter)
    pattern = f"{quote}{_NAME}{quote}({delimiter}{quote}{_NAME}{quote})+({delimiter})*\r?"
    order = 'OVER (PARTITION BY "FILE" ORDER BY "ROWNO")'
    above = (f'LAG("LINE", {at}) {order} AS "A{at}"' for at in range(1, MOST_TITLES + 2))
    beside = ", ".join([f'LEAD("LINE") {order} AS "B1"', *above])
    numbered = f'SELECT "FILE", ROW_NUMBER() {order} AS "N", "LINE", {beside} FROM {lines}'
    names = f'SELECT * FROM ({numbered}) WHERE "N" > {skip} AND REGEXP_LIKE("LINE", {text(pattern)})'
    first = f'SELECT * FROM ({names}) QUALIFY ROW_NUMBER() OVER (PARTITION BY "FILE" ORDER BY "N") <= {_CANDIDATES}'
    return f'{first} ORDER BY "FILE", "N"'


class _Lines(NamedTuple):
    """A line that could be a header, and the lines beside it.

    Attributes:
        number: Without empty lines.
        line: Its text.
        below: The next line.
        above: The lines above, the nearest first.
    """

    number: int
    line: str
    below: str | None
    above: Sequence[str | None]


class _Look:
    """Looks at lines that could be headers.

    Args:
        form: The dialect.
    """

    def __init__(self, form: CsvFormat) -> None:
        self._reader = CsvReader(form)
        self._delimiter = form.delimiter
        self._skipped = form.lines_above

    def refuse(self, file: SourceFile, header: Header, gaps: Sequence[int], found: _Lines) -> None:
        """Refuse a file in which the line is the header of another table.

        Args:
            file: For the error.
            header: Of the first table.
            gaps: The numbers of the empty lines.
            found: The line.
        """
        empty = {place - at - self._skipped for at, place in enumerate(gaps)}
        parting = self._parting(found, header, empty)
        below = None if found.below and found.number + 1 in empty else self._fields(found.below)
        if not is_other_header(self._fields(found.line), below, parting):
            return
        line = self._skipped + found.number
        for place in gaps:
            line += place <= line
        raise SourceError(
            f"the record {parting.sign}",
            file=file.uri,
            line=line,
            value=short(found.line),
            hint="Snowflake cannot set aside what is below it, so the file is refused. Give each table a file of its "
            f"own. {ONE_TABLE}",
        )

    def are_other_names(self, line: str, header: Header) -> bool:
        """Whether a line could be the header of another table, and is not that of this one."""
        fields = self._fields(line)
        again = len(fields) == header.width and any(same_names(head, fields) for head in header.heads)
        return are_names(without_last_empty(fields)) and not again

    def _parting(self, found: _Lines, header: Header, gaps: Set[int]) -> Parting:
        heads, number = header.skip - self._skipped, found.number
        sign, bare, between = "", True, 0
        for line in found.above:
            if number - between in gaps:
                sign = EMPTY_LINE
                break
            fields = self._fields(line)
            short = len(fields) != header.width
            if is_bare((line or "").rstrip("\r"), self._delimiter, short):
                sign, bare = EMPTY_LINE if short and not (line or "").strip(BLANKS) else DELIMITERS, False
            elif not is_title(fields, short):
                break
            between += 1
            bare = bare and short
            if sign:
                break
        seen = number - 1 - heads
        each = 2 * sum(heads < gap < number for gap in gaps) >= seen
        return Parting(sign, bare, seen - between, each)

    def _fields(self, line: str | None) -> list[str | None]:
        return self._reader.texts(line.rstrip("\r")) if line else []
