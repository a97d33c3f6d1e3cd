"""Macros that rewritten statements call, by name: parameters and DuckDB's SQL.

They say what one expression would repeat too often. ``session`` creates those that a statement needs.
"""

from __future__ import annotations

# What is between words: https://docs.snowflake.com/en/sql-reference/functions/initcap
_BETWEEN = r"""\s!?@"^#$&~_,.:;+\-*%/|\\\[\](){}<>"""

MACROS: dict[str, tuple[str, str]] = {
    # Numbers
    "sf_quotient": (
        "n, d, up, places",
        "CAST(CASE WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END * ((2 * abs(n) * CAST(10 ** up AS HUGEINT) + abs(d)) "
        "// (2 * abs(d))) AS DECIMAL(38,0)) * CAST(10.0 ** (-places) AS DECIMAL(13,12))",
    ),
    "sf_divide_any": (
        "a, b",
        "CASE WHEN b = 0 THEN 1 // CAST(b AS BIGINT) WHEN contains(typeof(a) || typeof(b), 'DOUBLE') THEN a / b "
        "ELSE round(a / b, sf_quotient_places(typeof(a))) END",
    ),
    "sf_average_over": (
        "x, t",
        "CASE WHEN contains(t, 'DOUBLE') THEN x ELSE sf_cut(x, CASE WHEN starts_with(t, 'DECIMAL') THEN "
        "3 + CAST(regexp_extract(t, ',([0-9]+)', 1) AS INTEGER) ELSE 3 END) END",
    ),
    "sf_cut": ("x, places", "trunc(round(x * 10.0 ** places, 6)) / 10.0 ** places"),
    "sf_average": ("x, t", "CASE WHEN contains(t, 'DOUBLE') THEN x ELSE round(x, sf_quotient_places(t)) END"),
    "sf_quotient_places": (
        "t",
        "CASE WHEN starts_with(t, 'DECIMAL') THEN greatest(CAST(regexp_extract(t, ',([0-9]+)', 1) AS INTEGER), "
        "least(CAST(regexp_extract(t, ',([0-9]+)', 1) AS INTEGER) + 6, 12)) ELSE 6 END",
    ),
    "sf_modulo": ("a, b", "CASE WHEN b = 0 THEN 1 // CAST(b AS BIGINT) ELSE a % b END"),
    "sf_whole": (
        "x",
        "CAST(CAST(CASE WHEN typeof(x) = 'JSON' THEN sf_scalar_text(x) ELSE CAST(x AS VARCHAR) END AS "
        "DECIMAL(38,10)) AS BIGINT)",
    ),
    "sf_try_whole": ("x", "sf_try_int(CAST(x AS VARCHAR))"),
    "sf_try_int": (
        "x",
        "CASE WHEN TRY_CAST(x AS BIGINT) IS NULL AND TRY_CAST(x AS DECIMAL(38,0)) IS NOT NULL "
        "THEN CAST(x || ' has more than 64 bits: cast it to number(38,0)' AS BIGINT) ELSE TRY_CAST(x AS BIGINT) END",
    ),
    "sf_variant_number": (
        "x",
        "CASE WHEN abs(TRY_CAST(x AS DOUBLE)) > 9007199254740992 "
        "THEN CAST(x || ' in a VARIANT has more than 15 digits: cast it first' AS DOUBLE) ELSE CAST(x AS DOUBLE) END",
    ),
    "sf_decfloat": (
        "x",
        "CASE WHEN CAST(x AS DECIMAL(38,18)) = CAST(x AS DOUBLE) OR length(regexp_extract(x, '[.]([0-9]*)$', "
        "1)) <= 18 "
        "THEN CAST(x AS DECIMAL(38,18)) ELSE CAST(x || ' has more than 18 places' AS DECIMAL(38,18)) END",
    ),
    # DuckDB's cbrt misses the last digit, so that cbrt(27) is not 3; one more step of Newton's is exact.
    "sf_cbrt": (
        "x",
        "CASE WHEN x = 0 THEN x ELSE cbrt(x) - (cbrt(x) * cbrt(x) * cbrt(x) - x) / (3 * cbrt(x) * cbrt(x)) END",
    ),
    "sf_float_text": (
        "x",
        "CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'inf' ELSE '-inf' END "
        "WHEN abs(x) < 1e10 THEN printf('%.10g', x) ELSE printf('%.15g', x) END",
    ),
    "sf_float_json": (
        "x",
        "CAST(CASE WHEN isfinite(x) THEN CASE WHEN x = trunc(x) AND abs(x) < 1e15 THEN CAST(CAST(x AS "
        "BIGINT) AS VARCHAR) "
        "ELSE CAST(x AS VARCHAR) END ELSE '\"' || sf_float_text(x) || '\"' END AS JSON)",
    ),
    "sf_decimal_json": (
        "x",
        "CAST(CASE WHEN contains(CAST(x AS VARCHAR), '.') THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.') "
        "ELSE CAST(x AS VARCHAR) END AS JSON)",
    ),
    "sf_to_bool": (
        "x",
        "CASE WHEN x IS NULL THEN NULL WHEN lower(x) IN ('true', 't', 'yes', 'y', 'on', '1') THEN true "
        "WHEN lower(x) IN ('false', 'f', 'no', 'n', 'off', '0') THEN false "
        "ELSE CAST(x || ' is no boolean value' AS BOOLEAN) END",
    ),
    "sf_try_bool": (
        "x",
        "CASE WHEN lower(x) IN ('true', 't', 'yes', 'y', 'on', '1') THEN true "
        "WHEN lower(x) IN ('false', 'f', 'no', 'n', 'off', '0') THEN false END",
    ),
    # Numbers as text of a format; see number_formats
    "sf_grouped": (
        "digits",
        "array_to_string(list_reverse(list_transform(range(0, length(digits), 3), "
        "lambda i: reverse(substr(reverse(digits), i + 1, 3)))), ',')",
    ),
    "sf_fraction": (
        "digits, kept",
        "CASE WHEN kept < 0 THEN '' ELSE '.' || rpad(left(digits, CAST(greatest(length(rtrim(digits, '0')), kept) AS "
        "INTEGER)), CAST(length(digits) AS INTEGER), ' ') END",
    ),
    "sf_fixed_body": (
        "whole, fraction, places, zeros, commas, kept, blank",
        "CASE WHEN length(ltrim(whole, '0')) > places THEN CASE WHEN commas THEN sf_grouped(repeat('#', places)) ELSE "
        "repeat('#', places) END || CASE WHEN kept < 0 THEN '' ELSE '.' || repeat('#', length(fraction)) END "
        "ELSE CASE WHEN commas THEN sf_grouped(sf_fixed_whole(whole, zeros, blank)) "
        "ELSE sf_fixed_whole(whole, zeros, blank) END || sf_fraction(fraction, kept) END",
    ),
    "sf_fixed_whole": (
        "whole, zeros, blank",
        "CASE WHEN zeros > 0 THEN lpad(ltrim(whole, '0'), CAST(greatest(zeros, length(ltrim(whole, '0'))) AS INTEGER), "
        "'0') WHEN ltrim(whole, '0') = '' THEN CASE WHEN blank THEN '' ELSE '0' END ELSE ltrim(whole, '0') END",
    ),
    "sf_fixed": (
        "x, width, places, zeros, commas, kept, blank, sign, dollar",
        "sf_signed(sf_fixed_body(split_part(ltrim(x, '-'), '.', 1), split_part(x, '.', 2), places, zeros, commas, "
        "kept, blank), starts_with(x, '-') AND regexp_matches(x, '[1-9]'), CAST(width + length(dollar) "
        "+ CASE WHEN kept < 0 THEN 0 ELSE length(split_part(x, '.', 2)) + 1 END AS INTEGER), sign, dollar)",
    ),
    "sf_signed": (
        "body, negative, width, sign, dollar",
        "CASE sign WHEN 'S-' THEN lpad(CASE WHEN negative THEN '-' ELSE '+' END || dollar || body, width + 1, ' ') "
        "WHEN 'MI-' THEN CASE WHEN negative THEN '-' ELSE ' ' END || lpad(dollar || body, width, ' ') "
        "WHEN '-S' THEN lpad(dollar || body, width, ' ') || CASE WHEN negative THEN '-' ELSE '+' END "
        "WHEN '-MI' THEN lpad(dollar || body, width, ' ') || CASE WHEN negative THEN '-' ELSE ' ' END "
        "ELSE lpad(CASE WHEN negative THEN '-' ELSE '' END || dollar || body, width + 1, ' ') END",
    ),
    "sf_scientific": (
        "x",
        "CASE WHEN NOT regexp_matches(x, '[1-9]') THEN '0E0' ELSE CASE WHEN starts_with(x, '-') THEN '-' ELSE '' END "
        "|| sf_mantissa(rtrim(ltrim(replace(ltrim(x, '-'), '.', ''), '0'), '0')) || 'E' || CASE WHEN "
        "ltrim(split_part(ltrim(x, '-'), '.', 1), '0') <> '' THEN "
        "length(ltrim(split_part(ltrim(x, '-'), '.', 1), '0')) - 1 "
        "ELSE length(ltrim(split_part(x, '.', 2), '0')) - length(split_part(x, '.', 2)) - 1 END END",
    ),
    "sf_mantissa": ("digits", "digits[1] || CASE WHEN length(digits) > 1 THEN '.' || digits[2:] ELSE '' END"),
    "sf_hexadecimal": (
        "x, places, zeros, sign",
        "CASE WHEN sign = 'S' THEN CASE WHEN x < 0 THEN '-' ELSE '+' END || lpad(to_hex(abs(x)), zeros, '0') "
        "WHEN x >= 0 AND length(to_hex(x)) > places THEN repeat('#', places + 1) "
        "ELSE CASE WHEN zeros > 0 THEN lpad(right(to_hex(x), places), zeros, '0') ELSE lpad(right(to_hex(x), places), "
        "places + 1, ' ') END END",
    ),
    # Text
    "sf_text": (
        "x",
        "CASE typeof(x) WHEN 'JSON' THEN sf_scalar_text(CAST(x AS JSON)) WHEN 'DOUBLE' THEN sf_float_text(TRY_CAST(x "
        "AS DOUBLE)) "
        "WHEN 'FLOAT' THEN sf_float_text(TRY_CAST(x AS DOUBLE)) "
        "WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') "
        "WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d "
        "%H:%M:%S.%g') "
        "|| ' +0000' ELSE CAST(x AS VARCHAR) END",
    ),
    "sf_sized": (
        "x, size",
        "CASE WHEN length(x) > size THEN CAST(CAST('text of ' || length(x) || ' characters is too long for varchar(' "
        "|| size || '): cut it with left(...)' AS BOOLEAN) AS VARCHAR) ELSE x END",
    ),
    "sf_padded": (
        "x, other, side",
        "CASE WHEN side = 'LEFT' THEN unhex(lpad(hex(x), CAST(2 * greatest(octet_length(x), octet_length(other)) AS "
        "INTEGER), '0')) ELSE unhex(rpad(hex(x), CAST(2 * greatest(octet_length(x), octet_length(other)) AS INTEGER), "
        "'0')) END",
    ),
    "sf_split_part": (
        "x, separator, part",
        "CASE WHEN separator = '' THEN CASE WHEN abs(part) <= 1 THEN x ELSE left(x, 0) END "
        "ELSE split_part(x, separator, CASE WHEN part = 0 THEN 1 ELSE part END) END",
    ),
    "sf_uuid_of": (
        "digest",
        "digest[1:8] || '-' || digest[9:12] || '-5' || digest[14:16] || '-' || "
        "lower(to_hex(CAST('0x' || digest[17:18] AS INTEGER) % 64 + 128)) || digest[19:20] || '-' || digest[21:32]",
    ),
    "sf_lines": (
        "x, width",
        "array_to_string(list_transform(range(0, length(x), width), lambda i: substr(x, i + 1, width)), chr(10))",
    ),
    "sf_position": (
        "part, x, start",
        "CASE WHEN start < 1 THEN CAST(CAST('charindex: positions begin at 1, not at ' || start AS BOOLEAN) "
        "AS BIGINT) WHEN instr(substr(x, start), part) = 0 THEN 0 ELSE instr(substr(x, start), part) + start - 1 END",
    ),
    "sf_start": ("x, start", "CASE WHEN start = 0 THEN 1 WHEN start < -length(x) THEN length(x) + 1 ELSE start END"),
    # What is outside of the valid values that its page names is an error.
    "sf_insert": (
        "x, place, size, other",
        "CASE WHEN place < 1 OR size < 0 OR place + size > length(x) + 1 THEN CAST(CAST('insert: ' || size || "
        "' characters at ' || place || ' are not in a text of ' || length(x) AS BOOLEAN) AS VARCHAR) "
        "ELSE substr(x, 1, place - 1) || other || substr(x, CAST(place + size AS BIGINT)) END",
    ),
    "sf_not_negative": ("x", "CASE WHEN x < 0 THEN 0 ELSE x END"),
    "sf_edit_distance": (
        "x, y, most",
        "CASE WHEN levenshtein(x, y) > most THEN most WHEN most IS NOT NULL THEN levenshtein(x, y) END",
    ),
    "sf_common_start": (
        "x, y",
        "len(list_filter(range(1, 1 + CASE WHEN length(x) < length(y) THEN length(x) ELSE length(y) END), "
        "lambda i: left(x, i) = left(y, i)))",
    ),
    # By its page it is cut, not rounded; four characters of the common start count, as an account shows.
    "sf_jarowinkler": (
        "x, y",
        "CAST(floor(100 * (1 - (1 - jaro_similarity(x, y)) * (1 - 0.1 * least(sf_common_start(x, y), 4))) + 1e-9) "
        "AS BIGINT)",
    ),
    "sf_lpad": (
        "x, width, pad",
        "CASE WHEN width <= 0 THEN left(x, 0) WHEN pad = '' THEN left(x, width) ELSE lpad(x, CAST(width AS "
        "INTEGER), pad) END",
    ),
    "sf_rpad": (
        "x, width, pad",
        "CASE WHEN width <= 0 THEN left(x, 0) WHEN pad = '' THEN left(x, width) ELSE rpad(x, CAST(width AS "
        "INTEGER), pad) END",
    ),
    "sf_initcap": (
        "x",
        rf"""array_to_string(list_transform(regexp_extract_all(x, '[{_BETWEEN}]|[^{_BETWEEN}]+'),
        lambda w: upper(w[1]) || lower(substr(w, 2))), '')""",
    ),
    "sf_initcap_by": (
        "x, separators",
        "CASE WHEN separators = '' THEN upper(x[1]) || lower(substr(x, 2)) ELSE array_to_string(list_transform("
        "regexp_extract_all(x, '[' || sf_class(separators) || ']|[^' || sf_class(separators) || ']+'), "
        "lambda w: CASE WHEN contains(separators, w) THEN w ELSE upper(w[1]) || lower(substr(w, 2)) END), '') END",
    ),
    "sf_class": ("characters", r"regexp_replace(characters, '([\\\]\[^-])', '\\\1', 'g')"),
    "sf_soundex": (
        "x",
        "CASE WHEN sf_letters(x) = '' THEN '' ELSE rpad(left(sf_letters(x)[1] || replace(substr(sf_once(translate("
        "sf_letters(x)[1] || regexp_replace(substr(sf_letters(x), 2), '[HW]', '', 'g'), "
        "'ABCDEFGHIJKLMNOPQRSTUVWXYZ', "
        "'01230120022455012623010202')), 2), '0', ''), 4), 4, '0') END",
    ),
    # The code of the second letter stays where the first letter has the same.
    "sf_soundex_p123": (
        "x",
        "CASE WHEN sf_letters(x) = '' THEN '' ELSE rpad(left(sf_letters(x)[1] || replace(sf_once(translate("
        "regexp_replace(substr(sf_letters(x), 2), '[HW]', '', 'g'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', "
        "'01230120022455012623010202')), '0', ''), 4), 4, '0') END",
    ),
    "sf_letters": ("x", "regexp_replace(upper(x), '[^A-Z]', '', 'g')"),
    "sf_once": (
        "x",
        "regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(x, '1+', "
        "'1', 'g'), "
        "'2+', '2', 'g'), '3+', '3', 'g'), '4+', '4', 'g'), '5+', '5', 'g'), '6+', '6', 'g')",
    ),
    "sf_tokens": (
        "x, separators",
        "CASE WHEN x IS NULL OR separators IS NULL THEN NULL WHEN x = '' THEN [] WHEN separators = '' THEN [x] "
        "ELSE regexp_extract_all(x, '[^' || sf_class(separators) || ']+') END",
    ),
    "sf_split": (
        "x, separator",
        "CASE WHEN x IS NULL OR separator IS NULL THEN NULL WHEN separator = '' THEN [x] "
        "ELSE string_split(x, separator) END",
    ),
    "sf_try_unhex": ("x", "CASE WHEN regexp_full_match(x, '([0-9A-Fa-f]{2})*') THEN unhex(x) END"),
    # Regular expressions
    "sf_replace_nth": (
        "x, pattern, replacement, n",
        "CASE WHEN pattern IS NULL OR replacement IS NULL THEN NULL ELSE array_to_string(list_transform("
        "list_zip(regexp_split_to_array(x, pattern), regexp_extract_all(x, pattern)), lambda pair, place: pair[1] || "
        "coalesce(CASE WHEN place = n THEN regexp_replace(pair[2], pattern, replacement) ELSE pair[2] END, "
        "'')), '') END",
    ),
    "sf_regexp_instr": (
        "x, pattern, start, n, past, grp, until",
        "CASE WHEN x IS NULL OR pattern IS NULL THEN NULL "
        "WHEN len(regexp_extract_all(substr(x, start), pattern)) < n THEN 0 ELSE start "
        "+ length(array_to_string(regexp_split_to_array(substr(x, start), pattern)[1:n], '')) "
        "+ length(array_to_string(regexp_extract_all(substr(x, start), pattern)[1:n - 1], '')) "
        "+ CASE WHEN grp = 0 THEN 0 ELSE length(regexp_extract("
        "regexp_extract_all(substr(x, start), pattern)[n], until, 1)) END "
        "+ CASE WHEN past = 0 THEN 0 ELSE length(regexp_extract_all(substr(x, start), pattern, grp)[n]) END END",
    ),
}


# Functions that have no value for some numbers: an error on Snowflake, and NaN or infinity on DuckDB.
def _checked(outside: str, value: str, name: str, shown: str = "x") -> str:
    """The value, or a failure where the arguments are outside of what the function has a value for.

    A cast fails instead of DuckDB's error(), which counts as volatile.
    """
    text = f"'{name}(' || {shown} || ') is no number'"
    return f"CASE WHEN {outside} THEN CAST(CAST({text} AS BOOLEAN) AS DOUBLE) ELSE {value} END"


NUMBER_MACROS = {
    "sf_sqrt": ("x", _checked("x < 0", "sqrt(x)", "sqrt")),
    "sf_ln": ("x", _checked("x <= 0", "ln(x)", "ln")),
    "sf_asin": ("x", _checked("abs(x) > 1 AND NOT isnan(x)", "asin(x)", "asin")),
    "sf_acos": ("x", _checked("abs(x) > 1 AND NOT isnan(x)", "acos(x)", "acos")),
    "sf_acosh": ("x", _checked("x < 1", "acosh(x)", "acosh")),
    "sf_atanh": ("x", _checked("abs(x) >= 1 AND NOT isnan(x)", "atanh(x)", "atanh")),
    "sf_not_zero": ("x", "CASE WHEN x = 0 THEN CAST(CAST('a step of 0' AS BOOLEAN) AS BIGINT) ELSE x END"),
    "sf_pow": ("x, y", _checked("x < 0 AND y <> floor(y)", "pow(x, y)", "pow", "x || ', ' || y")),
}
