"""CSV files with one change each, and what is right for every one of them.

A small table is written cleanly. Then one thing is changed per file: a delimiter or a quote is lost or added at one
place, the line ends, the encoding, the header, lines around the table. By construction it is known what a loader may
make of the file: exactly these rows, or an error. With ``on_error: reject`` a loader may load untouched records only,
and should keep all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Row = tuple[str | None, ...]
NAMES = ("day", "code", "product", "notes", "price", "url")

# Commas, doubled quotes, line ends within values, empty values at the end, and texts that look like structure.
_PRODUCTS = ("Lamp", "Desk, oak", 'Screen 24"', "Chair", "C# book", "Shelf; wide", "Größe 7", "Cable", "O'Neill cap")
_NOTES = ("", "first\nsecond", "fine", 'say "hi", twice', "one\ntwo\nthree", "back\\slash", "")


def clean_rows(count: int = 14) -> tuple[Row, ...]:
    """The table. Every last value is empty in half of the rows; an empty value is NULL."""
    rows: list[Row] = []
    for number in range(count):
        note = _NOTES[number % len(_NOTES)]
        url = f"http://shop/{number}?a=1" if number % 2 else None
        price = f"{number}.50" if number % 5 else None
        product = _PRODUCTS[number % len(_PRODUCTS)]
        rows.append((f"2024-01-{number + 1:02d}", f"K{number:03d}", product, note or None, price, url))
    return tuple(rows)


@dataclass(frozen=True)
class Dialect:
    """How a clean file is written.

    Attributes:
        name: For the test's name.
        delimiter: Between values.
        newline: After records.
        quote_all: Whether every value that is there is quoted.
    """

    name: str
    delimiter: str = ","
    newline: str = "\n"
    quote_all: bool = False

    @property
    def format(self) -> dict[str, Any]:
        return {"type": "csv", **({"delimiter": self.delimiter} if self.delimiter != "," else {})}

    def cell(self, value: str | None) -> str:
        """A value as text."""
        if value is None:
            return ""
        if self.quote_all or any(mark in value for mark in (self.delimiter, '"', "\n", "\r", "\x00")):
            return '"' + value.replace('"', '""') + '"'
        return value

    def record(self, row: Row) -> str:
        """A record without its line end."""
        return self.delimiter.join(map(self.cell, row))

    def text(self, records: Any) -> str:
        """Records, each with a line end."""
        return "".join(record + self.newline for record in records)


PLAIN = Dialect("comma")
SEMICOLON = Dialect("semicolon_crlf", ";", "\r\n")
QUOTED = Dialect("all_quoted", ",", "\n", True)


@dataclass(frozen=True)
class Polluted:
    """One file.

    Attributes:
        id: For messages.
        data: Its bytes.
        format: The source's ``format``.
        clean: The table without the change.
        rows: What is right in the strict mode: these rows; ``None`` for an error.
        kept: With ``reject``, the rows that are untouched; no others may be loaded.
        either: An error is right, too, where rows are given.
        more: Other keys of the source.
    """

    id: str
    data: bytes
    format: Mapping[str, Any]
    clean: tuple[Row, ...]
    rows: tuple[Row, ...] | None = None
    kept: tuple[Row, ...] = ()
    either: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


def corpus(rows: int = 14) -> Iterator[Polluted]:
    """All files; above a thousand with 14 rows."""
    table = clean_rows(rows)
    for dialect in (PLAIN, SEMICOLON, QUOTED):
        yield from _cells(table, dialect)
        yield from _records(table, dialect)
        yield from _files(table, dialect)
    yield from _headers(table)
    yield from _dialects(table)
    yield from _encodings(table)


def _without(table: tuple[Row, ...], number: int) -> tuple[Row, ...]:
    return table[:number] + table[number + 1 :]


def _cells(table: tuple[Row, ...], dialect: Dialect) -> Iterator[Polluted]:
    """One delimiter or quote added or lost at one place."""
    for number, row in enumerate(table):
        cells = [dialect.cell(value) for value in row]
        for column in range(len(cells)):
            for what, record in _changed(cells, column, dialect.delimiter):
                records = [dialect.record(NAMES), *(dialect.record(each) for each in table)]
                records[number + 1] = record
                yield Polluted(
                    f"{dialect.name}_{what}_row{number}_col{column}",
                    dialect.text(records).encode(),
                    dialect.format,
                    table,
                    kept=_without(table, number),
                )


def _changed(cells: list[str], column: int, delimiter: str) -> Iterator[tuple[str, str]]:
    def joined(cell: str) -> str:
        return delimiter.join([*cells[:column], cell, *cells[column + 1 :]])

    cell = cells[column]
    middle = len(cell) // 2
    yield "delimiter_added", joined(cell + delimiter)
    yield "quote_before", joined('"' + cell)
    yield "quote_after", joined(cell + '"')
    if len(cell) > 2 and cell[middle - 1 : middle] != '"' != cell[middle]:
        yield "quote_inside", joined(cell[:middle] + '"' + cell[middle:])
    if column + 1 < len(cells):
        yield "delimiter_lost", delimiter.join([*cells[:column], cell + cells[column + 1], *cells[column + 2 :]])
    if cell.startswith('"'):
        yield "first_quote_lost", joined(cell[1:])
        yield "last_quote_lost", joined(cell[:-1])


def _records(table: tuple[Row, ...], dialect: Dialect) -> Iterator[Polluted]:
    """One record or one line added, cut, or written in another way."""
    head, body = dialect.record(NAMES), [dialect.record(row) for row in table]

    def polluted(what: str, number: int, changed: list[str], **more: Any) -> Polluted:
        data = dialect.text([head, *changed]).encode()
        return Polluted(f"{dialect.name}_{what}_row{number}", data, dialect.format, table, **more)

    other = {",": ";", ";": ","}[dialect.delimiter]
    for number in range(0, len(table), 4):
        cut, rest = dialect.delimiter.join(dialect.cell(v) for v in table[number][:3]), _without(table, number)
        before, after = body[:number], body[number + 1 :]
        yield polluted("cut", number, [*before, cut, *after], kept=rest)
        yield polluted("blank_line", number, [*before, "", *body[number:]], rows=table, kept=table)
        yield polluted("line_of_blanks", number, [*before, "   ", *body[number:]], kept=table)
        yield polluted("repeated_header", number, [*before, head, *body[number:]], kept=table)
        yield polluted("mark_in_the_middle", number, [*before, "\ufeff" + body[number], *after], kept=rest)
        swapped = Dialect("", other).record(table[number])
        yield polluted("other_delimiter", number, [*before, swapped, *after], kept=rest)
        trailing = [*before, body[number] + dialect.delimiter * 2, *after]
        yield polluted("two_delimiters_at_the_end", number, trailing, kept=rest)
        nul = dialect.record((*table[number][:1], "K\x00", *table[number][2:]))
        yield polluted("nul", number, [*before, nul, *after], kept=_without(table, number))
    yield polluted("footer", 0, [*body, "14 rows"], kept=table)
    yield polluted("dashes_under_the_header", 0, ["-----", *body], kept=table)
    narrow = ["", dialect.delimiter.join(("a", "b")), dialect.delimiter.join(("1", "2"))]
    yield polluted("narrow_table_below", 0, [*body, *narrow], kept=table)
    wide = dialect.delimiter.join("abcdefgh")
    other = [
        dialect.delimiter.join(("id", "name", "city", "zip_code", "phone", "mail")),
        dialect.delimiter.join("abcdef"),
    ]
    yield polluted("other_table_below", 0, [*body, "", *other], kept=table)
    yield polluted("other_table_below_a_title", 0, [*body, "", "Table 2", *other], kept=table)
    yield polluted("wide_table_below", 0, [*body, "", wide, wide], kept=table)


def _files(table: tuple[Row, ...], dialect: Dialect) -> Iterator[Polluted]:
    """The whole file written in another way."""
    head, body = dialect.record(NAMES), [dialect.record(row) for row in table]
    text = dialect.text([head, *body])
    good = Polluted("", b"", dialect.format, table, table, table)

    def same(what: str, changed: str, **more: Any) -> Polluted:
        return replace(good, id=f"{dialect.name}_{what}", data=changed.encode(), **more)

    refused: dict[str, Any] = {"rows": None, "kept": ()}
    yield same("clean", text)
    yield same("no_last_line_end", text.removesuffix(dialect.newline))
    yield same("many_line_ends_at_the_end", text + dialect.newline * 3)
    yield same("crlf", Dialect("", dialect.delimiter, "\r\n", dialect.quote_all).text([head, *body]))
    yield same("cr", Dialect("", dialect.delimiter, "\r", dialect.quote_all).text([head, *body]))
    for number in range(0, len(table), 4):
        mixed = [head, *body]
        ended = "".join(part + ("\r\n" if at % 4 == number % 3 else "\n") for at, part in enumerate(mixed))
        yield same(f"mixed_line_ends_{number}", ended)
        ended = "".join(part + ("\r" if at == number else "\n") for at, part in enumerate(mixed))
        untouched = tuple(row for at, row in enumerate(table) if at not in (number - 1, number))
        yield same(f"one_cr_{number}", ended, kept=untouched if number else (), either=True)
    yield same("mark", "\ufeff" + text)
    yield same("two_marks", "\ufeff\ufeff" + text, either=True)
    preamble = f'Report of "{dialect.name}\nmade today\n'
    yield same("preamble", preamble + text, format={**dialect.format, "skip_lines": 2})
    yield same("preamble_unsaid", preamble + text, **refused)
    yield same("no_header", dialect.text(body), format={**dialect.format, "header": False})
    yield same("no_header_unsaid", dialect.text(body), **refused)
    ended_all = dialect.text(part + dialect.delimiter for part in [head, *body])
    yield same("delimiters_at_every_end", ended_all, **refused)
    yield same("delimiters_at_every_end_ignored", ended_all, more={"on_extra": "ignore"})
    ended_rows = dialect.text([head, *(part + dialect.delimiter for part in body)])
    yield same("delimiters_at_every_end_but_the_header", ended_rows, **refused)
    commented = ['# made by "us', head, *body[:3], "# 3 so far, and more #", *body[3:]]
    yield same("comments", dialect.text(commented), format={**dialect.format, "comment": "#"})
    blanks = Dialect(" " + dialect.delimiter + " ", dialect.delimiter, dialect.newline, True)
    spaced = dialect.text(f" {dialect.delimiter} ".join(blanks.cell(value) for value in row) for row in (NAMES, *table))
    yield same("blanks_around_quotes", spaced, **refused)
    yield same("blanks_around_quotes_trimmed", spaced, format={**dialect.format, "trim": True})


def _headers(table: tuple[Row, ...]) -> Iterator[Polluted]:
    body = [PLAIN.record(row) for row in table]

    def headed(what: str, head: str, rows: tuple[Row, ...] | None, **more: Any) -> Polluted:
        data = PLAIN.text([head, *body]).encode()
        kept = rows or ()
        return Polluted(f"header_{what}", data, more.pop("format", PLAIN.format), table, rows, kept, **more)

    yield headed("in_capitals", ",".join(NAMES).upper(), table)
    yield headed("quoted", ",".join(f'"{name}"' for name in NAMES), table)
    yield headed("with_blanks", " , ".join(NAMES), table, either=True)
    yield headed("that_is_a_null_text", ",".join(NAMES), table, format={"type": "csv", "null_values": ["", "notes"]})
    for column, name in enumerate(NAMES):
        yield headed(f"lost_{name}", ",".join(NAMES[:column] + NAMES[column + 1 :]), None)
        yield headed(f"twice_{name}", ",".join((*NAMES[:-1], name)) if column < 5 else "day,day,a,b,c,d", None)
        yield headed(f"misspelt_{name}", ",".join(NAMES).replace(name, name + "_x"), None)
        yield headed(f"empty_{name}", ",".join("" if each == name else each for each in NAMES), None)
        yield headed(f"quote_added_{name}", ",".join(NAMES).replace(name, '"' + name), None)
        turned = NAMES[column:] + NAMES[:column]
        data = PLAIN.text([",".join(turned), *(PLAIN.record(row[column:] + row[:column]) for row in table)])
        yield Polluted(f"header_turned_by_{column}", data.encode(), PLAIN.format, table, table, table)
    yield headed("over_two_lines", "Table 1,,,,,\n" + ",".join(NAMES), None)
    yield headed("too_short", ",".join(NAMES[:4]), None)
    yield headed("too_long", ",".join((*NAMES, "extra")), None)


def _dialects(table: tuple[Row, ...]) -> Iterator[Polluted]:
    for mark, name in ((";", "semicolon"), ("\t", "tab"), ("|", "pipe"), ("\x01", "control_a"), ("~", "tilde")):
        text = Dialect("", mark).text([Dialect("", mark).record(row) for row in (NAMES, *table)])
        stated = {"type": "csv", "delimiter": mark}
        yield Polluted(f"delimiter_{name}", text.encode(), stated, table, table, table)
        yield Polluted(f"delimiter_{name}_unsaid", text.encode(), PLAIN.format, table)
    plain = [row for row in table if not any("'" in (value or "") for value in row)]
    single = "\n".join(",".join(_single(value) for value in row) for row in (NAMES, *plain)) + "\n"
    stated = {"type": "csv", "quote": "'"}
    yield Polluted("single_quotes", single.encode(), stated, tuple(plain), tuple(plain), tuple(plain))
    escaped = "\n".join(",".join(_escaped(value) for value in row) for row in (NAMES, *table)) + "\n"
    stated = {"type": "csv", "escape": "\\"}
    yield Polluted("backslash_escapes", escaped.encode(), stated, table, table, table)
    paths = tuple((*row[:2], f'C:\\new\\data\\"{row[1]}"', *row[3:]) for row in table)
    loose = "\n".join(",".join(_loose(value) for value in row) for row in (NAMES, *paths)) + "\n"
    yield Polluted("backslashes_that_escape_nothing", loose.encode(), stated, paths, paths, paths)
    padded = tuple((f"\u00a0{row[0]}\u2003", *row[1:]) for row in table)
    text = PLAIN.text([PLAIN.record(row) for row in (NAMES, *padded)])
    trimmed = tuple((row[0], *row[1:]) for row in table)
    yield Polluted("blanks_of_unicode", text.encode(), {"type": "csv", "trim": True}, trimmed, trimmed, trimmed)


def _single(value: str | None) -> str:
    return "" if value is None else f"'{value}'"


def _escaped(value: str | None) -> str:
    return "" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _loose(value: str | None) -> str:
    """Only quotes are escaped, and a backslash before one."""
    return "" if value is None else '"' + value.replace('\\"', '\\\\"').replace('"', '\\"') + '"'


def _encodings(table: tuple[Row, ...]) -> Iterator[Polluted]:
    text = PLAIN.text([PLAIN.record(row) for row in (NAMES, *table)])
    for encoding in ("latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        stated = {"type": "csv", "encoding": encoding}
        yield Polluted(f"encoding_{encoding}", text.encode(encoding), stated, table, table, table)
        if encoding == "utf-8-sig":
            continue
        kept = tuple(row for row in table if "ö" not in (row[2] or "")) if len(encoding) < 8 else ()
        yield Polluted(f"encoding_{encoding}_unsaid", text.encode(encoding), PLAIN.format, table, kept=kept)
