"""How a text or JSON value becomes a declared type in DuckDB, or is found to be bad.

DuckDB's own casts are too kind for a contract (1.5 becomes the BIGINT 2, ' 5' and '0x10' are numbers, a JSON
object fits a VARCHAR), so what is cast must also have the right shape. Shape and cast are two plain expressions,
which DuckDB evaluates a column at a time; a CASE around each cast costs twice as much.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple

from pipekit.files.shapes import (
    FALSE,
    FLOAT,
    HEXADECIMAL,
    INTEGER,
    ISO,
    NOT_FINITE,
    NULL_SIGN,
    TRUE,
    expected,
    may_be_null_sign,
    number_shape,
    why_bad,
    windows_encoding,
)
from pipekit.files.time_formats import time_format
from pipekit.files.value_formats import (
    FIRST_MICROSECOND,
    LAST_MICROSECOND,
    Epoch,
    NumberText,
    epoch_of,
    given_format,
    number_text,
)
from pipekit.formats.base import FileFormat
from pipekit.source import Column, Source
from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.json_strict import decimals_of, has_exponent, is_strict
from pipekit.warehouses.duckdb.time_formats import in_years, strptime_format, zoned_value

_TYPES = {
    "integer": "BIGINT",
    "float": "DOUBLE",
    "varchar": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp_tz": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ltz": "TIMESTAMP WITH TIME ZONE",
    "variant": "JSON",
    "object": "JSON",
    "array": "JSON",
    "binary": "BLOB",
}


def type_text(column: Column) -> str:
    """DuckDB's type for a declared column."""
    if column.type.kind == "number":
        return f"DECIMAL({column.type.precision},{column.type.scale})"
    return _TYPES[column.type.kind]


class Conversion(NamedTuple):
    """One column's way from the file to the table.

    Attributes:
        column: The declared column.
        source: SQL of the value as read; NULL where the file has none.
        good: Whether a value that is there has the right shape.
        value: The typed value, whatever its shape; NULL if it cannot be had.
        expected: What a good value is, as the end of the sentence "... is not".
        unless: What else makes a value wrong, if anything does. Apart from ``good``, DuckDB asks it of few values.
        name: The value in the file, where ``model`` says what is made of it.
        model: The same of any name, which stands as ``ANY_NAME``; shared by columns that are converted alike.
    """

    column: Column
    source: str
    good: str
    value: str
    expected: str
    unless: str = ""
    name: str = ""
    model: Conversion | None = None

    @property
    def strict(self) -> str:
        """The typed value; the statement fails if it cannot be had."""
        return self.value.replace("TRY_CAST(", "CAST(").replace("try_strptime(", "strptime(")

    @property
    def wrong(self) -> str:
        """Whether the value has the wrong shape, or is NULL and may not be; NULL counts as no."""
        return self._wrong if self.column.nullable else f"{self.source} IS NULL OR {self._wrong}"

    @property
    def _wrong(self) -> str:
        return f"NOT {self.good} OR ({self.unless})" if self.unless else f"NOT {self.good}"

    @property
    def right(self) -> str:
        """Whether a value that is there has the right shape, and nothing else is wrong with it."""
        return f"({self.good} AND NOT ({self.unless}))" if self.unless else self.good

    def bad(self, value: str) -> str:
        """Whether the record is bad, given the name under which ``value`` was selected."""
        if not self.column.nullable:
            return f"{value} IS NULL OR {self._wrong}"
        return f"{self.source} IS NOT NULL AND ({value} IS NULL OR {self._wrong})"

    def reason(self, text: str | None, form: FileFormat) -> str:
        """Why a value is bad, as a sentence; ``text`` is the value as read, ``None`` for NULL."""
        return why_bad(text, self.expected, form)


ANY_NAME = "\ue000name\ue000"  # private characters: no text that a file declares holds this
_MANY = 100
Convert = Callable[[Column, str, Source], Conversion]


def conversions(convert: Convert, contract: Source) -> tuple[Conversion, ...]:
    """The conversions of all columns, from ``x0`` to ``xn``; those of one kind are found out once."""
    models: dict[Hashable, Conversion] = {}
    found = []
    for index, column in enumerate(contract.columns):
        type_ = column.type
        kind = (
            *(type_.kind, type_.precision, type_.scale, type_.length),
            *(column.format, column.null_values, column.nullable, column.path_pattern),
        )
        if kind not in models:
            models[kind] = convert(column, ANY_NAME, contract)
        model, name = models[kind], f"x{index}"
        parts = (model.source, model.good, model.value, model.unless)
        source, good, value, unless = (text.replace(ANY_NAME, name) for text in parts)
        found.append(Conversion(column, source, good, value, model.expected, unless, name, model))
    return tuple(found)


def any_wrong(all_: Iterable[Conversion]) -> Iterator[str]:
    """Conditions of which one is true if a value is wrong.

    Of many columns that are converted alike the values are judged as a list, by one condition: DuckDB needs a second to
    plan thousands of them, and compiles a regular expression for each.
    """
    alike: dict[Conversion, list[Conversion]] = {}
    for each in all_:
        if each.wrong != "NOT true":
            alike.setdefault(each.model or each, []).append(each)
    for model, some in alike.items():
        if len(some) < _MANY or "lambda" in model.wrong:
            yield from (each.wrong for each in some)
        else:
            names, wrong = ", ".join(each.name for each in some), model.wrong.replace(ANY_NAME, "one")
            yield f"len(list_filter([{names}], lambda one: {wrong})) > 0"


Converted = tuple[str, str]  # whether the shape is good, and the value


def convert_text(
    column: Column, source: str, contract: Source, *, scanned: bool = False, backslashes: bool = True
) -> Conversion:
    """The conversion of ``column`` from a VARCHAR expression.

    The text ``null`` in a column of JSON is a missing value, as it is in a JSON file.

    Args:
        column: The declared column.
        source: The expression.
        contract: The source.
        scanned: Whether the file's bytes are known to hold no character that is in no text.
        backslashes: Whether the file may hold a backslash.
    """
    if column.type.kind in SEMI:
        source = f"CASE WHEN trim({source}, ' \t\r\n') <> 'null' THEN {source} END"
    if column.null_values:
        source = f"CASE WHEN {source} NOT IN ({', '.join(map(quoted, column.null_values))}) THEN {source} END"
    good, value = _from_text(column, source, contract)
    if column.type.kind == "varchar":
        native = [*_native(column, source, contract.format, scanned, backslashes)]
        good = f"({' AND '.join([good, *native])})" if native else good
    return Conversion(column, source, good, value, expected(column, contract.format))


def _native(column: Column, text: str, form: FileFormat, scanned: bool, backslashes: bool) -> Iterator[str]:
    """Conditions that are true of a text which was written as it is read: see ``FOREIGN`` of ``files.shapes``."""
    if backslashes and may_be_null_sign(column, form):
        yield f"{text} <> {quoted(NULL_SIGN)}"
    if not form.is_plain_text:
        yield f"NOT contains({text}, chr(0))"
    elif not scanned:
        controls = r"\x{80}-\x{9F}" if windows_encoding(form) else ""
        yield f"NOT regexp_matches({text}, '[\\x00{controls}]')"


def read_as_text(column: Column, contract: Source) -> bool:
    """Whether a JSON value may be read as text at once: no text of a number or an object is an ISO date or time."""
    return column.type.kind in ISO and given_format(column, contract.format) is None


def convert_json(column: Column, source: str, contract: Source) -> Conversion:
    """The conversion of ``column`` from a JSON expression, or from a VARCHAR one if ``read_as_text``."""
    if read_as_text(column, contract):
        return convert_text(column, source, contract)
    if column.null_values:
        texts = ", ".join(map(quoted, column.null_values))
        is_null = f"({source})::VARCHAR LIKE '\"%' AND ({source}->>'$') IN ({texts})"
        source = f"CASE WHEN NOT ({is_null}) THEN {source} END"
    lenient = contract.format.is_lenient and column.type.kind not in SEMI
    good, value = (_leniently if lenient else _from_json)(column, source, contract)
    nul = f"contains(({source})::VARCHAR, '\\u0000') AND contains(({source}->>'$'), chr(0))"
    unless = nul if column.type.kind == "varchar" and not lenient else ""
    return Conversion(column, source, good, value, expected(column, contract.format), unless)


def _leniently(column: Column, source: str, contract: Source) -> Converted:
    """What ``_from_json`` takes, and any text, number, true or false that is good as text."""
    kind, raw = column.type.kind, f"({source})::VARCHAR"
    given = given_format(column, contract.format)
    numeric = kind in ("integer", "number", "float") or (given is not None and epoch_of(given))
    native = f"regexp_matches({raw}, '^[-0-9]')" if numeric else f"{raw} IN ('true', 'false')"
    shaped, typed = _from_json(column, source, contract)
    text = f"(CASE WHEN {raw} LIKE '\"%' THEN {source}->>'$' ELSE {raw} END)"
    good, value = _from_text(column, text, contract)
    good += f" AND NOT contains({text}, chr(0))" if kind == "varchar" else ""
    good = f"(NOT regexp_matches({raw}, '^[\\[{{]') AND {good})"
    if not numeric and kind != "boolean":
        return good, value
    return f"CASE WHEN {native} THEN {shaped} ELSE {good} END", f"CASE WHEN {native} THEN {typed} ELSE {value} END"


def _from_json(column: Column, source: str, contract: Source) -> Converted:
    kind, raw = column.type.kind, f"({source})::VARCHAR"
    if kind in SEMI:
        return f"{raw} LIKE '{SEMI[kind]}'", source
    if kind == "boolean":
        return f"{raw} IN ('true', 'false')", f"{raw} = 'true'"
    if kind == "integer":
        # DuckDB writes a JSON integer as digits alone, and any other number with a point or an exponent.
        whole = f"NOT contains({raw}, '.') AND NOT contains({raw}, 'e') AND NOT contains({raw}, 'E')"
        return f"({whole})", f"TRY_CAST({raw} AS BIGINT)"
    if kind == "float":
        return _float(raw, finite=True)
    if kind == "number":
        return _json_number(raw, column)
    return _from_json_string(column, source, raw, contract)


def _json_number(raw: str, column: Column) -> Converted:
    # A float holds 15 digits exactly, so a short number with an exponent can be written without one.
    short = f"strlen({raw}) <= 17 AND {has_exponent(raw)}"
    shaped, _ = _number(f"CASE WHEN {short} THEN TRY_CAST({raw} AS DOUBLE)::VARCHAR ELSE {raw} END", column)
    fits = f"{has_exponent(raw)} AND coalesce({decimals_of(raw)} <= {column.type.scale or 0}, false)"
    return f"CASE WHEN {fits} THEN true ELSE {shaped} END", f"TRY_CAST({raw} AS {type_text(column)})"


def _from_json_string(column: Column, source: str, raw: str, contract: Source) -> Converted:
    given = given_format(column, contract.format)
    if given and (epoch := epoch_of(given)):
        return _epoch(column.type.kind, raw, epoch)
    text, is_text = f"({source}->>'$')", f"{raw} LIKE '\"%'"
    good, value = _from_text(column, text, contract)
    if column.type.kind == "varchar" and column.type.length:
        # Most values are short with their quotes and escapes. They need not be unescaped then.
        good = f"(strlen({raw}) <= {column.type.length} + 2 OR {good})"
    return is_text if good == "true" else f"({is_text} AND {good})", value


SEMI = {"variant": "%", "object": "{%", "array": "[%"}
_ZONED = ("timestamp_tz", "timestamp_ltz")


def _from_text(column: Column, text: str, contract: Source) -> Converted:
    kind = column.type.kind
    if kind in ISO:
        given = given_format(column, contract.format)
        if given:
            epoch = epoch_of(given)
            return _epoch(kind, text, epoch) if epoch else _formatted(kind, text, given)
        good = f"regexp_full_match({text}, '{ISO[kind]}')"
        if kind in _ZONED:
            value, sure = zoned_value(text), f"{text} BETWEEN '0001-01-02' AND '9999-12-31'"
            return f"({good} AND {in_years(sure, value)})", value
        value = f"TRY_CAST({text} AS {_TYPES[kind]})"
        return _as_written(f"strlen({text}) = 10 AND {value}", text, good) if kind == "date" else good, value
    if written := number_text(column, contract.format):
        return _written(text, column, written)
    return _float(text, finite=False) if kind == "float" else _FROM_TEXT[kind](text, column)


def _as_written(value: str, text: str, good: str) -> str:
    """``good``, but not asked of a text that its value gives back: that is cheaper to see than a pattern."""
    return f"CASE WHEN {value}::VARCHAR = {text} THEN true ELSE {good} END"


def _integer(text: str, column: Column) -> Converted:
    value = f"TRY_CAST({text} AS BIGINT)"
    return _as_written(value, text, f"regexp_full_match({text}, '{INTEGER}')"), value


def _number_text(text: str, column: Column) -> Converted:
    good, value = _number(text, column)
    return _as_written(value, text, good), value


def _number(text: str, column: Column) -> Converted:
    shape = number_shape(column.type.scale or 0)
    return f"regexp_full_match({text}, '{shape}')", f"TRY_CAST({text} AS {type_text(column)})"


def _float(text: str, *, finite: bool) -> Converted:
    value = f"TRY_CAST({text} AS DOUBLE)"
    good = f"(regexp_full_match({text}, '{FLOAT}') AND isfinite({value}))"
    special = "" if finite else f" OR lower({text}) IN {NOT_FINITE}"
    return f"({good}{special})", value


def _varchar(text: str, column: Column) -> Converted:
    return f"length({text}) <= {column.type.length}" if column.type.length else "true", text


def _boolean(text: str, column: Column) -> Converted:
    return f"lower({text}) IN {(*TRUE, *FALSE)}", f"lower({text}) IN {TRUE}"


def _binary(text: str, column: Column) -> Converted:
    size = f" AND strlen({text}) <= {2 * column.type.length}" if column.type.length else ""
    good = f"(regexp_full_match({text}, '{HEXADECIMAL}'){size})"
    return good, f"CASE WHEN {good} THEN unhex({text}) END"


def _json_text(text: str, column: Column) -> Converted:
    kind = column.type.kind
    wanted = "true" if kind == "variant" else f"json_type({text}) = '{kind.upper()}'"
    good = f"CASE WHEN json_valid({text}) THEN {wanted} AND {is_strict(text)} ELSE {text} IS NULL END"
    return good, f"CASE WHEN {good} THEN ({text})::JSON END"


_FROM_TEXT = {
    "integer": _integer,
    "number": _number_text,
    "varchar": _varchar,
    "boolean": _boolean,
    "binary": _binary,
    "variant": _json_text,
    "object": _json_text,
    "array": _json_text,
}


def _formatted(kind: str, text: str, given: str) -> Converted:
    format_ = time_format(given, kind)
    if kind == "timestamp_ntz" and format_.zoned:
        return "false", "NULL::TIMESTAMP"
    regex, pattern = (part.replace("'", "''") for part in (format_.regex, strptime_format(format_)))
    subject = f"regexp_replace({text}, 'Z$', '+00:00')" if format_.zoned else text
    value = f"try_strptime({subject}, '{pattern}')"
    if any(part.element == "YY" for part in format_.parts):
        # As Snowflake: 70 is 1970 and 69 is 2069, where strptime makes 1969 of it.
        # https://docs.snowflake.com/en/sql-reference/parameters#two-digit-century-start
        value = f"CASE WHEN year({value}) = 1969 THEN {value} + INTERVAL 100 YEAR ELSE {value} END"
    good, value = f"regexp_full_match({text}, '{regex}')", f"({value})::{_TYPES[kind]}"
    if format_.zoned:
        sure = f"NOT contains({text}, '0001') AND NOT contains({text}, '9999')"
        good = f"({good} AND {in_years(sure, value)})"
    return good, value


def _epoch(kind: str, text: str, epoch: Epoch) -> Converted:
    micros = f"TRY_CAST({text} || 'e{epoch.places}' AS BIGINT)"
    good = f"coalesce({micros} BETWEEN {FIRST_MICROSECOND} AND {LAST_MICROSECOND}, {text} IS NULL)"  # NULL is not bad
    make = "make_timestamp" if kind == "timestamp_ntz" else "make_timestamptz"
    # What is beyond would be an error of the function, and not of the value.
    value = f"{make}(CASE WHEN {good} THEN {micros} END)"
    return f"(regexp_full_match({text}, '{epoch.shape}') AND {good})", value


def _written(text: str, column: Column, written: NumberText) -> Converted:
    """A number with separators, or with something around its digits."""
    plain = f"replace({text}, {quoted(written.removed)}, '')" if written.removed else text
    plain = f"replace({plain}, {quoted(written.point)}, '.')" if written.point != "." else plain
    if written.around.rewrite:
        pattern, put = written.around.rewrite
        plain = f"regexp_replace({plain}, {quoted(pattern)}, {quoted(put)})"
    good, shift = f"regexp_full_match({text}, {quoted(written.shape)})", written.around.shift
    if column.type.kind == "float":
        value = f"TRY_CAST({plain} || 'e-{shift}' AS DOUBLE)" if shift else f"TRY_CAST({plain} AS DOUBLE)"
        return f"({good} AND isfinite({value}))", value
    if not shift:
        return good, f"TRY_CAST({plain} AS {type_text(column)})"
    scale = column.type.scale or 0
    exact = f"TRY_CAST({plain} AS DECIMAL({38 - shift},{scale - shift})) * CAST(1e-{shift} AS DECIMAL({shift},{shift}))"
    return good, f"TRY_CAST({exact} AS {type_text(column)})"
