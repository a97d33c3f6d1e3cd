"""What a good value looks like, for each type: decided once, for every engine.

An adapter turns these shapes into its own SQL. The patterns are plain enough for RE2, POSIX and Python alike: no
look-around, no classes by name.
"""

from __future__ import annotations

import codecs
import re

from pipekit.errors import short
from pipekit.files.time_formats import ISO_DATE, ISO_TIME, ISO_TIMESTAMP, ISO_TIMESTAMP_ZONE, time_format
from pipekit.files.value_formats import epoch_of, given_format, number_text
from pipekit.formats.base import FileFormat
from pipekit.source import Column

# All blanks of Unicode but line ends. https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt (White_Space)
BLANKS = "\t\x0b\x0c \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"

INTEGER = "[+-]?[0-9]+"
FLOAT = "[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?"
HEXADECIMAL = "(?:[0-9A-Fa-f][0-9A-Fa-f])*"

# https://docs.snowflake.com/en/sql-reference/data-types-numeric#special-values
NOT_FINITE = ("nan", "inf", "+inf", "-inf", "infinity", "-infinity")

# https://docs.snowflake.com/en/sql-reference/functions/to_boolean
TRUE = ("true", "t", "yes", "y", "on", "1")
FALSE = ("false", "f", "no", "n", "off", "0")

IS_NULL = "is NULL, but the column is declared `nullable: false`"
ISO = {
    "date": ISO_DATE,
    "time": ISO_TIME,
    "timestamp_ntz": ISO_TIMESTAMP,
    "timestamp_tz": ISO_TIMESTAMP_ZONE,
    "timestamp_ltz": ISO_TIMESTAMP_ZONE,
}
_EXPECTED = {
    "integer": "an integer of 64 bits",
    "float": "a number that fits a 64-bit float",
    "varchar": "a string",
    "boolean": "true or false",
    "date": "a date like 2024-12-31",
    "time": "a time like 23:59:59, with at most six digits of a second",
    "timestamp_ntz": "a timestamp like 2024-12-31 23:59:59, without an offset and with at most six digits of a second",
    "timestamp_tz": "a timestamp like 2024-12-31T23:59:59Z, with at most six digits of a second",
    "timestamp_ltz": "a timestamp like 2024-12-31T23:59:59Z, with at most six digits of a second",
    "variant": "a JSON value",
    "object": "a JSON object",
    "array": "a JSON array",
    "binary": "bytes in hexadecimal digits",
}
_OF_JSON = [_EXPECTED[kind] for kind in ("variant", "object", "array")]


NULL_SIGN = "\\N"
"""What MySQL, PostgreSQL, Hive and others write for NULL: no value of a text, unless the contract names it."""
NUL = "\0"
CONTROLS = "".join(map(chr, range(0x80, 0xA0)))
"""Control characters (C1) that no text holds, and in whose place Windows has quotes, dashes and the euro."""
# https://encoding.spec.whatwg.org/#names-and-labels: what is called latin-1 is nearly always cp1252.
_WINDOWS = {
    **dict.fromkeys(("iso8859-1", "iso8859-15"), "cp1252"),
    **{f"iso8859-{number}": f"cp{page}" for number, page in ((2, 1250), (5, 1251), (6, 1256), (7, 1253), (8, 1255))},
    **{"iso8859-9": "cp1254", "iso8859-13": "cp1257"},
}
FOREIGN = {
    NULL_SIGN: "is what MySQL and others write for NULL; name it in `null_values`",
    NUL: "holds a NUL character (0x00), which no text can hold; bcp writes it for an empty text. Export it without",
    CONTROLS: "holds a control character that is a sign of text in {0}; set `encoding: {0}`",
}
"""What is wrong with a text that was not written as it is read, by what it is or holds."""
NO_NUL = "holds a NUL character (0x00), which no text can hold: export it without, or declare the column `variant`"
"""The same of a text with ``NUL`` in a format in which any value can be a ``variant``."""
ESCAPED_NUL = r"\u0000"


def windows_encoding(form: FileFormat) -> str | None:
    """What a file is written in that has ``CONTROLS`` by the encoding that is declared; ``None`` if it has none."""
    encoding = form.text_encoding
    return _WINDOWS.get(codecs.lookup(encoding).name) if encoding and form.is_plain_text else None


def blanks_of(form: FileFormat) -> str:
    """The blanks that `trim` takes off. Of those of Unicode one is among ``CONTROLS``; it is left to be found bad."""
    return BLANKS.replace("\x85", "") if windows_encoding(form) else BLANKS


def may_be_null_sign(column: Column, form: FileFormat) -> bool:
    """Whether the text ``NULL_SIGN`` is bad in a column of text."""
    return form.is_plain_text and NULL_SIGN not in (*column.null_values, *getattr(form, "null_values", ()))


def why_foreign(value: str, form: FileFormat) -> str | None:
    """Which of ``FOREIGN`` a text is; ``None`` if it is none of them."""
    if not form.is_plain_text:
        return NO_NUL if NUL in value or (form.paths_are_json and ESCAPED_NUL in value) else None
    if value == NULL_SIGN:
        return FOREIGN[NULL_SIGN]
    if NUL in value:
        return FOREIGN[NUL]
    windows = windows_encoding(form)
    return FOREIGN[CONTROLS].format(windows) if windows and re.search("[\x80-\x9f]", value) else None


def number_shape(scale: int) -> str:
    """The pattern of an exact decimal; digits beyond ``scale`` may only be zeros."""
    if not scale:
        return "[+-]?[0-9]+(?:[.]0*)?"
    return f"[+-]?(?:[0-9]+(?:[.][0-9]{{0,{scale}}}0*)?|[.][0-9]{{1,{scale}}}0*)"


def expected(column: Column, form: FileFormat) -> str:
    """What a good value is, as the end of the sentence "... is not"."""
    kind = column.type
    if written := number_text(column, form):
        return f"a {kind} written like {written.example}"
    if kind.kind == "number":
        return f"a {kind}"
    if kind.kind == "varchar" and kind.length:
        return f"a string of at most {kind.length} characters"
    if kind.kind == "binary" and kind.length:
        return f"bytes in hexadecimal digits, at most {kind.length}"
    if kind.kind == "varchar" and form.paths_are_json and not form.is_lenient:
        return "a string; `lenient: true` in `format` takes a number as its text"
    given = given_format(column, form)
    return _expected_time(kind.kind, given) if given else _EXPECTED[kind.kind]


def _expected_time(kind: str, given: str) -> str:
    if epoch := epoch_of(given):
        return f"a number of {epoch.unit} since 1970, in the years 1 to 9999"
    if kind == "timestamp_ntz" and time_format(given).zoned:
        return f"a timestamp without an offset, and {given} has one"
    midnight = ", at midnight" if kind == "date" and time_format(given).timed else ""
    return f"a {kind.partition('_')[0]} in the format {given}{midnight}"


def why_bad(value: str | None, good: str, form: FileFormat) -> str:
    """Why a value is bad, as a sentence; ``None`` stands for NULL."""
    if value is None:
        return IS_NULL
    of_text = form.is_plain_text or good.startswith(_EXPECTED["varchar"])
    if of_text and (foreign := why_foreign(value, form)):
        return f"{short(value)!r} {foreign}"
    if good in _OF_JSON:
        from pipekit.files.json_text import problem_of

        if problem := problem_of(value)[1]:
            return f"{short(value)!r} {problem}"
    quoted = "; in quotes it is not NULL, unless `quoted_nulls: true`" if value in form.unquoted_nulls else ""
    return f"{short(value)!r} is not {good}{quoted}{_parted(value, form)}{_other_type(value, good)}"


def _parted(value: str, form: FileFormat) -> str:
    """The way out for a number with blanks between its digits; nothing for another text."""
    found = re.fullmatch("[^0-9]?[0-9]{1,3}(?:([ \u00a0\u2009\u202f])[0-9]{3})+(?:[.,][0-9]*)?[^0-9]?", value)
    if not found or getattr(form, "thousands_separator", found[1]) == found[1]:
        return ""
    name = found[1] if found[1] == " " else f"\\u{ord(found[1]):04x}"
    return f'; a blank is between its digits: set `thousands_separator: "{name}"`'


def _other_type(value: str, good: str) -> str:
    """The type that takes a number as it is written, if that is why it is bad; nothing for another text."""
    if good == _EXPECTED["integer"] and re.fullmatch("[+-]?[0-9]+[.]0*", value):
        return "; `number(38,0)` takes zeros behind the point"
    if good.startswith("a number(") and "e" in value.lower() and re.fullmatch(FLOAT, value):
        return "; `float` takes an exponent"
    return ""
