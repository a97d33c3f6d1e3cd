"""Functions of text. https://docs.snowflake.com/en/sql-reference/functions-string"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.semantics.casts import to_int, to_text
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make, refused, simple
from pipekit.warehouses.duckdb.semantics.types import ARRAY, BINARY, BOOL, HUGE, INT, OBJECT, TEXT, VARIANT

simple(
    {
        "SPLIT_PART": [("text text int", "sf_split_part({0}, {1}, {2})", TEXT)],
        "LEFT": [("text int", "left({0}, sf_not_negative({1}))", TEXT)],
        "RIGHT": [("text int", "right({0}, sf_not_negative({1}))", TEXT)],
        "CHARINDEX": [
            ("text text", "instr({1}, {0})", INT),
            ("text text int", "sf_position({0}, {1}, {2})", INT),
        ],
        "CONTAINS": [("text text", "contains({0}, {1})", BOOL)],
        "STARTSWITH": [("text text", "starts_with({0}, {1})", BOOL)],
        "ENDSWITH": [("text text", "ends_with({0}, {1})", BOOL)],
        "REPEAT": [("text int", "repeat({0}, {1})", TEXT)],
        "SPACE": [("int", "repeat(' ', {0})", TEXT)],
        "REVERSE": [("text", "reverse({0})", TEXT)],
        "REPLACE": [
            ("text text", "replace({0}, {1}, '')", TEXT),
            ("text text text", "replace({0}, {1}, {2})", TEXT),
        ],
        "TRANSLATE": [("text text text", "translate({0}, {1}, {2})", TEXT)],
        "INITCAP": [("text", "sf_initcap({0})", TEXT), ("text text", "sf_initcap_by({0}, {1})", TEXT)],
        "RTRIMMED_LENGTH": [("text", "length(rtrim({0}, ' '))", INT)],
        "ASCII": [("text", "CAST(ascii({0}) AS BIGINT)", INT)],
        "UNICODE": [("text", "CAST(sf_not_negative(unicode({0})) AS BIGINT)", INT)],
        "CHR CHAR": [("int", "chr(CAST({0} AS INTEGER))", TEXT)],
        "UPPER UCASE": [("text", "upper({0})", TEXT)],
        "LOWER LCASE": [("text", "lower({0})", TEXT)],
        "EDITDISTANCE": [
            ("text text", "levenshtein({0}, {1})", INT),
            ("text text int", "sf_edit_distance({0}, {1}, sf_not_negative({2}))", INT),
        ],
        "JAROWINKLER_SIMILARITY": [("text text", "sf_jarowinkler(lower({0}), lower({1}))", INT)],
        "SOUNDEX": [("text", "sf_soundex({0})", TEXT)],
        "SOUNDEX_P123": [("text", "sf_soundex_p123({0})", TEXT)],
        "MD5 MD5_HEX": [("text", "md5({0})", TEXT)],
        "MD5_NUMBER_LOWER64": [("text", "CAST(CAST('0x' || md5({0})[17:] AS UBIGINT) AS HUGEINT)", HUGE)],
        "MD5_NUMBER_UPPER64": [("text", "CAST(CAST('0x' || md5({0})[:16] AS UBIGINT) AS HUGEINT)", HUGE)],
        "MD5_BINARY": [("text", "unhex(md5({0}))", BINARY)],
        "SHA1 SHA1_HEX": [("text", "sha1({0})", TEXT)],
        "SHA1_BINARY": [("text", "unhex(sha1({0}))", BINARY)],
        "BASE64_DECODE_STRING": [("text", "decode(from_base64({0}))", TEXT)],
        "TRY_BASE64_DECODE_STRING": [("text", "TRY(decode(from_base64({0})))", TEXT)],
        "TRY_BASE64_DECODE_BINARY": [("text", "TRY(from_base64({0}))", BINARY)],
        "BASE64_DECODE_BINARY": [("text", "from_base64({0})", BINARY)],
        "HEX_DECODE_STRING": [("text", "decode(unhex({0}))", TEXT)],
        "TRY_HEX_DECODE_STRING": [("text", "TRY(decode(unhex({0})))", TEXT)],
        "HEX_DECODE_BINARY": [("text", "unhex({0})", BINARY)],
        "TRY_HEX_DECODE_BINARY": [("text", "sf_try_unhex({0})", BINARY)],
        "STRTOK": [
            ("text", "sf_tokens({0}, ' ')[1]", TEXT),
            ("text text", "sf_tokens({0}, {1})[1]", TEXT),
            ("text text int", "sf_tokens({0}, {1})[{2}]", TEXT),
        ],
        "STRTOK_TO_ARRAY": [
            ("text", "to_json(sf_tokens({0}, ' '))", ARRAY),
            ("text text", "to_json(sf_tokens({0}, {1}))", ARRAY),
        ],
        "SPLIT": [("text text", "to_json(sf_split({0}, {1}))", ARRAY)],
        "PARSE_URL": [
            ("text", "CAST(sf_url_parts({0}, 0) AS JSON)", VARIANT),
            ("text int", "CAST(sf_url_parts({0}, CAST({1} AS INTEGER)) AS JSON)", VARIANT),
        ],
        "INSERT": [("text int int text", "sf_insert({0}, {1}, {2}, {3})", TEXT)],
        "UUID_STRING": [
            ("", "CAST(uuid() AS VARCHAR)", TEXT),
            (
                "text text",
                "sf_uuid_of(sha1(unhex(replace({0}, '-', '')) || encode({1})))",
                TEXT,
            ),
        ],
        "ILIKE": [("text text", "({0} ILIKE {1})", BOOL)],
        "LIKE": [("text text", "({0} LIKE {1})", BOOL)],
    }
)
refused("DuckDB has none like it", "", "COMPRESS", "DECOMPRESS_STRING", "ENCRYPT", "DECRYPT")
refused("its values are an algorithm of Snowflake's own", "Use md5 or sha2.", "HASH", "HASH_AGG")


@function("LENGTH", "LEN", "CHAR_LENGTH", "CHARACTER_LENGTH")
def length(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/length: characters of a text, bytes of a binary."""
    if call.arg(0).type.kind == "binary":
        return call.make("octet_length({0})", INT, call.arg(0))
    return call.make("length({0})", INT, call.as_kind(0, "text"))


@function("OCTET_LENGTH", "BIT_LENGTH")
def octet_length(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/octet_length, and the same in bits."""
    times = " * 8" if call.name == "BIT_LENGTH" else ""
    if call.arg(0).type.kind == "binary":
        return call.make(f"(octet_length({{0}}){times})", INT, call.arg(0))
    return call.make(f"(strlen({{0}}){times})", INT, call.as_kind(0, "text"))


@function("LPAD", "RPAD")
def pad(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/lpad: a binary is padded by bytes."""
    macro, size = f"sf_{call.name.lower()}", call.as_kind(1, "int")
    if call.arg(0).type.kind == "binary":
        if len(call) < 3:
            raise call.refuse("a binary has no default padding")
        text = f"unhex({macro}(hex({{0}}), 2 * {{1}}, hex({{2}})))"
        return call.make(text, BINARY, call.arg(0), size, call.arg(2))
    filling = call.as_kind(2, "text") if len(call) > 2 else make("' '", TEXT)
    return call.make(f"{macro}({{0}}, {{1}}, {{2}})", TEXT, call.as_kind(0, "text"), size, filling)


@function("CONCAT")
def concat(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/concat: NULL if any is."""
    parts = [to_text(part) for part in call.args()]
    return make("(" + " || ".join(f"{{{index}}}" for index in range(len(parts))) + ")", TEXT, *parts)


@function("CONCAT_WS")
def concat_ws(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/concat_ws: NULL if any is."""
    parts = [to_text(part) for part in call.args()]
    return make("(" + " || {0} || ".join(f"{{{index}}}" for index in range(1, len(parts))) + ")", TEXT, *parts)


@function("SUBSTR", "SUBSTRING")
def substr(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/substr: 0 is the first character too."""
    value, start = call.as_kind(0, "text"), constant(call.raw[1])
    begin = call.as_kind(1, "int")
    place = "{1}" if isinstance(start, int) and start > 0 else "sf_start({0}, {1})"
    if len(call) < 3:
        return make(f"substr({{0}}, {place})", TEXT, value, begin)
    return make(f"substr({{0}}, {place}, sf_not_negative({{2}}))", TEXT, value, begin, call.as_kind(2, "int"))


@visits(exp.StrPosition)
def position(rewriter: Rewriter, node: Any) -> Typed:
    """POSITION. https://docs.snowflake.com/en/sql-reference/functions/position"""
    text, part = to_text(rewriter.visit(node.this)), to_text(rewriter.visit(node.args["substr"]))
    start = node.args.get("position")
    if start is None:
        return make("instr({1}, {0})", INT, part, text)
    return make("sf_position({0}, {1}, {2})", INT, part, text, to_int(rewriter.visit(start)))


@visits(exp.Trim)
def trim_from(rewriter: Rewriter, node: Any) -> Typed:
    """TRIM as the parser makes it of ``trim(BOTH 'x' FROM y)``."""
    characters = node.args.get("expression")
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    return _trimmed(
        name,
        to_text(rewriter.visit(node.this)),
        None if characters is None else to_text(rewriter.visit(characters)),
    )


@function("TRIM", "LTRIM", "RTRIM")
def trim(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/trim: spaces alone, where no characters are given."""
    return _trimmed(call.name.lower(), call.as_kind(0, "text"), call.as_kind(1, "text") if len(call) > 1 else None)


def _trimmed(name: str, value: Typed, characters: Typed | None) -> Typed:
    if characters is not None:
        return make(f"{name}({{0}}, {{1}})", TEXT, value, characters)
    if not isinstance(value.node, exp.Column):
        return make(f"{name}({{0}}, ' ')", TEXT, value)
    # DuckDB sees three times as fast that there is no blank at an end.
    blank = " OR ".join(f"{{0}} LIKE '{pattern}'" for pattern in _BLANK_AT[name])
    return make(f"(CASE WHEN {blank} THEN {name}({{0}}, ' ') ELSE {{0}} END)", TEXT, value)


_BLANK_AT = {"trim": (" %", "% "), "ltrim": (" %",), "rtrim": ("% ",)}


@visits(exp.Like, exp.ILike)
def like(rewriter: Rewriter, node: Any) -> Typed:
    """LIKE and ILIKE, also with ANY and ALL. https://docs.snowflake.com/en/sql-reference/functions/like"""
    value = to_text(rewriter.visit(node.this))
    word = "ILIKE" if isinstance(node, exp.ILike) else "LIKE"
    if not isinstance(node.expression, (exp.Any, exp.All)):
        pattern = to_text(rewriter.visit(node.expression))
        return make(f"({{0}} {word} {{1}}{_escape(node)})", BOOL, value, pattern)
    return _like_each(rewriter, node, value, f"{word} {{}}{_escape(node)}")


def _escape(node: Any) -> str:
    parent = node.parent
    if isinstance(parent, exp.Escape):
        return f" ESCAPE {quoted(str(parent.expression.this))}"
    return ""


@visits(exp.Escape)
def escape(rewriter: Rewriter, node: Any) -> Typed:
    """``LIKE ... ESCAPE 'x'``."""
    return rewriter.visit(node.this)


def _like_each(rewriter: Rewriter, node: Any, value: Typed, text: str) -> Typed:
    inner = node.expression.this
    inner = inner.this if isinstance(inner, exp.Paren) else inner
    patterns = inner.expressions if isinstance(inner, exp.Tuple) else [inner]
    word = " OR " if isinstance(node.expression, exp.Any) else " AND "
    written = [to_text(rewriter.visit(pattern)) for pattern in patterns]
    tests = [f"{{0}} {text.format(f'{{{index}}}')}" for index in range(1, len(written) + 1)]
    return make(f"({word.join(tests)})", BOOL, value, *written)


@function("SHA2", "SHA2_HEX", "SHA2_BINARY")
def sha2(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/sha2"""
    size = constant(call.raw[1]) if len(call) > 1 else 256
    if size not in (224, 256, 384, 512):
        raise call.refuse("the digest's size is 224, 256, 384 or 512")
    text = "sha256({0})" if size == 256 else f"sf_sha{size}({{0}})"
    if call.name == "SHA2_BINARY":
        return make(f"unhex({text})", BINARY, call.as_kind(0, "text"))
    return make(text, TEXT, call.as_kind(0, "text"))


@function("BASE64_ENCODE", "HEX_ENCODE")
def encode(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/base64_encode"""
    value = call.arg(0)
    if value.type.kind != "binary":
        value = make("encode({0})", BINARY, to_text(value))
    if call.name == "BASE64_ENCODE":
        return _base64(call, make("to_base64({0})", TEXT, value))
    lower = len(call) > 1 and constant(call.raw[1]) == 0
    return make("lower(hex({0}))" if lower else "hex({0})", TEXT, value)


def _base64(call: Call, value: Typed) -> Typed:
    """Base 64 in lines of a length, with other characters for + / and =."""
    length = constant(call.raw[1]) if len(call) > 1 else 0
    alphabet = constant(call.raw[2]) if len(call) > 2 else ""
    if not isinstance(length, int) or not isinstance(alphabet, str):
        raise call.refuse("a length or an alphabet that is not a constant is not known")
    if alphabet:
        value = make(f"translate({{0}}, '{'+/='[: len(alphabet)]}', {quoted(alphabet)})", TEXT, value)
    if length:
        value = make(f"sf_lines({{0}}, {length})", TEXT, value)
    return value


__all__ = ["VARIANT"]


@function("COLLATE")
def collate(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/collate: only binary order is the same on both engines."""
    if call.word(1) not in ("", "utf8"):
        raise call.refuse("collations order and compare differently on DuckDB", "Compare lower(...) or upper(...).")
    return call.as_kind(0, "text")


@function("PARSE_IP")
def parse_ip(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/parse_ip"""
    if call.word(1) != "inet":
        raise call.refuse("is known with 'INET' alone")
    if len(call) > 2 and constant(call.raw[2]) != 0:
        raise call.refuse("what it says of a text that is not an address is not known", "Leave the third argument out.")
    return make("CAST(sf_ip_parts({0}) AS JSON)", OBJECT, call.as_kind(0, "text"))
