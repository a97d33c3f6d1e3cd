"""The arguments that Snowflake's functions take, for calls with too few or too many.

https://docs.snowflake.com/en/sql-reference/functions-all; a function that is not here, or whose forms differ too much
for one line, is not checked.
"""

from __future__ import annotations

import re
from functools import cache

# Functions of the same arguments, and these: in brackets what may be left out, with dots what may be repeated.
_SIGNATURES = """
    rank dense_rank row_number percent_rank cume_dist ()
    max min any_value mode skew kurtosis array_agg arrayagg array_unique_agg array_union_agg first_value last_value
    to_variant to_array to_object typeof ratio_to_report conditional_change_event (value)
    sum avg median stddev stddev_pop stddev_samp variance variance_pop variance_samp var_pop var_samp abs exp ln sqrt
    square sign nullifzero zeroifnull (number)
    length len octet_length bit_length upper lower reverse md5 sha1 ascii (text)
    parse_json try_parse_json (text[, mode])
    year quarter month day week weekiso weekofyear dayofmonth dayofweek dayofweekiso dayofyear yearofweek yearofweekiso
    hour minute second dayname monthname (date)
    count_if booland_agg boolor_agg boolxor_agg conditional_true_event boolnot (condition)
    corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
    regr_syy (y, x)
    div0 div0null mod power pow equal_null ifnull nvl nullif (a, b)
    nvl2 (value, if_not_null, if_null)
    iff (condition, if_true, if_false)
    decode (value, search, result, ...)
    coalesce count greatest least concat (value, ...)
    dateadd timeadd timestampadd (part, number, date)
    datediff timediff timestampdiff (part, from, to)
    date_part date_trunc (part, date)
    add_months (date, months)
    months_between (to, from)
    last_day (date[, part])
    next_day previous_day (date, weekday)
    date_from_parts (year, month, day)
    time_slice (date, length, part[, start_or_end])
    to_date try_to_date to_time try_to_time to_timestamp to_timestamp_ntz to_timestamp_ltz to_timestamp_tz to_char
    to_varchar to_double try_to_double to_binary try_to_binary (value[, format])
    to_boolean try_to_boolean (value)
    to_number to_numeric to_decimal try_to_number try_to_numeric try_to_decimal (value[, format, precision, scale])
    round (number[, places, rounding])
    ceil floor trunc (number[, places])
    approx_percentile (value, share)
    percentile_cont percentile_disc (share)
    width_bucket (value, low, high, buckets)
    substr substring (text, start[, length])
    lpad rpad (text, length[, padding])
    left right (text, length)
    trim ltrim rtrim (text[, characters])
    contains startswith endswith (text, part)
    split (text, separator)
    split_part (text, separator, part)
    replace (text, search[, replacement])
    repeat (text, count)
    concat_ws (separator, text, ...)
    listagg (value[, separator])
    sha2 (text[, size])
    regexp_like rlike (text, pattern[, parameters])
    regexp_count (text, pattern[, position, parameters])
    regexp_replace (text, pattern[, replacement, position, occurrence, parameters])
    regexp_substr (text, pattern[, position, occurrence, parameters, group])
    regexp_instr (text, pattern[, position, occurrence, option, parameters, group])
    lag lead (value[, offset, default])
    nth_value (value, position)
    ntile (buckets)
    max_by min_by (value, key[, count])
    object_agg (key, value)
    get (value, key)
    get_path (value, path)
    array_contains array_position (value, array)
    array_size (array)
"""


@cache
def _signatures() -> dict[str, str]:
    """The arguments of each function, by its name in lower case."""
    found = re.findall(r"([\w\s]+)\(([^)]*)\)", _SIGNATURES)
    return {name: arguments for names, arguments in found for name in names.split()}


def wrong_count(name: str, given: int) -> tuple[str, str] | None:
    """What is wrong with a call of so many arguments, and how it is written; ``None`` if nothing is known to be.

    Args:
        name: In lower case.
        given: How many arguments it has.
    """
    arguments = _signatures().get(name)
    if arguments is None:
        return None
    least = len(re.findall(r"\w+", re.sub(r"\[[^]]*\]", "", arguments)))
    most = None if "..." in arguments else len(re.findall(r"\w+", arguments))
    if least <= given and (most is None or given <= most):
        return None
    text = f"{name} takes {_wanted(least, most)}, and {given or 'none'} {'is' if given == 1 else 'are'} given"
    return text, f"write {name}({arguments})"


def _wanted(least: int, most: int | None) -> str:
    noun = "argument" if (most or least) == 1 else "arguments"
    if most is None:
        return f"at least {least} {noun}"
    return f"{least if least == most else f'{least} to {most}'} {noun}" if most else "no arguments"
