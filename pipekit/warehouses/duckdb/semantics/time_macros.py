"""Macros of dates and times: what text means without a format, and what is asked of values whose type is not known.

https://docs.snowflake.com/en/sql-reference/date-time-input-output
"""

from __future__ import annotations

_DATE = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = "[0-9]{1,2}(:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?)?"
_OFFSET = " ?(Z|[+-][0-9]{1,2}(:?[0-9]{2})?)"
_SLASHES = "['%m/%d/%Y', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M']"
_CLOCKS = ["%H:%M:%S", "%H:%M:%S.%f", "%I:%M:%S %p", "%H:%M", "%I:%M %p"]
_MAIL = "%a, %d %b %Y"
_NAMED = str(
    ["%d-%b-%Y", "%d-%B-%Y", "%d-%b-%Y %H:%M:%S", _MAIL, "%a %b %d %H:%M:%S %Y", "%d %b %Y", "%d %b %Y %H:%M:%S"]
    + [f"{_MAIL} {clock}" for clock in _CLOCKS]
)
_NAMED_ZONED = str(["%a %b %d %H:%M:%S %z %Y"] + [f"{_MAIL} {clock} %z" for clock in _CLOCKS])
_DAY, _FAST = "x LIKE '____-__-__'", "x LIKE '____-__-__ __:__:__'"

TIME_MACROS: dict[str, tuple[str, str]] = {
    "sf_epoch": ("x", "make_timestamp(sf_of_seconds(x))"),
    "sf_epoch_text": (
        "x",
        "CASE WHEN abs(TRY_CAST(x AS HUGEINT)) < 31536000000 THEN make_timestamp(TRY_CAST(x AS BIGINT) * 1000000) "
        "WHEN abs(TRY_CAST(x AS HUGEINT)) < 31536000000000 THEN make_timestamp(TRY_CAST(x AS BIGINT) * 1000) "
        "WHEN abs(TRY_CAST(x AS HUGEINT)) < 31536000000000000 THEN make_timestamp(TRY_CAST(x AS BIGINT)) "
        "ELSE make_timestamp(sf_of_nanos(TRY_CAST(x AS HUGEINT))) END",
    ),
    "sf_try_ntz": (
        "x",
        f"CASE WHEN {_FAST} OR {_DAY} THEN TRY_CAST(x AS TIMESTAMP) "
        f"WHEN regexp_full_match(x, '{_DATE}([ T]+{_CLOCK})?') THEN TRY_CAST(sf_clock(x) AS TIMESTAMP) "
        f"WHEN regexp_full_match(x, '{_DATE}[ T]+{_CLOCK}{_OFFSET}') "
        f"THEN TRY_CAST(sf_clock(regexp_replace(x, '{_OFFSET}$', '')) AS TIMESTAMP) "
        "WHEN regexp_full_match(x, '-?[0-9]+') THEN sf_epoch_text(x) "
        f"WHEN contains(x, '/') THEN try_strptime(x, {_SLASHES}) "
        "ELSE try_strptime(regexp_replace(sf_micros(x), ' [+-][0-9][0-9]:?[0-9][0-9]( [0-9]{4})?$', '\\1'), "
        f"{_NAMED}) END",
    ),
    "sf_clock": (
        "x",
        "CASE WHEN contains(x, ':') THEN rtrim(sf_micros(x), '.') WHEN strlen(x) > 10 THEN x || ':00' ELSE x END",
    ),
    "sf_ntz": ("x", "CASE WHEN x IS NULL THEN NULL ELSE coalesce(sf_try_ntz(x), sf_not_known('Timestamp', x)) END"),
    "sf_not_known": ("what, x", "CAST(what || ' ' || x || ' is not recognized' AS TIMESTAMP)"),
    "sf_try_date": (
        "x",
        f"CASE WHEN {_DAY} THEN TRY_CAST(x AS DATE) "
        "ELSE CAST(sf_try_ntz(regexp_replace(x, '([.][0-9]{6})[0-9]+', '\\1')) AS DATE) END",
    ),
    "sf_date": ("x", "coalesce(CASE WHEN NOT contains(x, '/') THEN TRY_CAST(x AS DATE) END, CAST(sf_ntz(x) AS DATE))"),
    "sf_try_tz": (
        "x",
        f"CASE WHEN regexp_full_match(x, '{_DATE}[ T]+{_CLOCK}{_OFFSET}') "
        "THEN TRY_CAST(sf_offset(sf_micros(x)) AS TIMESTAMPTZ) "
        f"WHEN regexp_full_match(x, '[A-Za-z].* [+-][0-9][0-9]:?[0-9][0-9]( [0-9]{{4}})?') "
        f"THEN try_strptime(sf_micros(x), {_NAMED_ZONED}) "
        "ELSE CAST(sf_try_ntz(x) AS TIMESTAMPTZ) END",
    ),
    "sf_offset": (
        "x",
        "regexp_replace(regexp_replace(x, ' ?Z$', '+00'), ' ?([+-][0-9]{2}):?([0-9]{2})$', '\\1:\\2')",
    ),
    "sf_tz": (
        "x",
        "CASE WHEN x IS NULL THEN NULL ELSE coalesce(sf_try_tz(x), "
        "CAST(sf_not_known('Timestamp', x) AS TIMESTAMPTZ)) END",
    ),
    "sf_tz_any": (
        "x",
        "CASE WHEN typeof(x) = 'VARCHAR' THEN sf_in_utc(sf_ntz(CAST(x AS VARCHAR)), sf_tz(CAST(x AS VARCHAR))) "
        "ELSE CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ) END",
    ),
    "sf_in_utc": (
        "clock, instant",
        "CASE WHEN CAST(instant AS TIMESTAMP) = clock THEN instant WHEN instant IS NULL THEN NULL "
        "ELSE CAST(sf_zoned_text(clock, instant) || ' has an offset, and timestamp_tz is kept in UTC here: write "
        "convert_timezone(''UTC'', ...) for the instant, ::timestamp_ntz for the clock' AS TIMESTAMPTZ) END",
    ),
    "sf_try_time": (
        "x",
        f"CASE WHEN regexp_full_match(x, '{_CLOCK}') AND contains(x, ':') THEN TRY_CAST(CASE WHEN "
        f"regexp_full_match(x, "
        "'[0-9]{1,2}:[0-9]{1,2}') THEN x || ':00' ELSE sf_micros(x) END AS TIME) WHEN regexp_full_match(x, '[0-9]+') "
        "THEN CAST(sf_epoch_text(x) AS TIME) "
        "ELSE CAST(try_strptime(sf_micros(x), ['%I:%M:%S %p', '%I:%M %p', '%I:%M:%S.%f %p']) AS TIME) END",
    ),
    "sf_time": (
        "x",
        "CASE WHEN x IS NULL THEN NULL ELSE coalesce(sf_try_time(x), CAST(sf_not_known('Time', x) AS TIME)) END",
    ),
    "sf_date_any": (
        "x",
        "CASE typeof(x) WHEN 'DATE' THEN TRY_CAST(CAST(x AS VARCHAR) AS DATE) ELSE CAST(sf_ntz_any(x) AS DATE) END",
    ),
    "sf_ntz_any": (
        "x",
        "CASE WHEN typeof(x) IN ('DATE', 'TIMESTAMP') THEN TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP) "
        "WHEN typeof(x) IN ('BIGINT', 'INTEGER', 'HUGEINT', 'DOUBLE') OR starts_with(typeof(x), 'DECIMAL') "
        "THEN sf_epoch(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) ELSE sf_ntz(sf_text(x)) END",
    ),
    "sf_months_between": (
        "a, b",
        "CASE WHEN day(a) = day(b) OR (CAST(a AS DATE) = last_day(a) AND CAST(b AS DATE) = last_day(b)) "
        "THEN CAST((year(a) - year(b)) * 12 + month(a) - month(b) AS DECIMAL(38,6)) "
        "ELSE CAST(round((year(a) - year(b)) * 12 + month(a) - month(b) + (day(a) - day(b) "
        "+ (epoch(CAST(a AS TIMESTAMP)) % 86400 - epoch(CAST(b AS TIMESTAMP)) % 86400) / 86400.0) / 31.0, 6) "
        "AS DECIMAL(38,6)) END",
    ),
    "sf_add_months_date": (
        "x, n",
        "CASE WHEN x = last_day(x) THEN last_day(CAST(x + to_months(CAST(n AS INTEGER)) AS DATE)) "
        "ELSE CAST(x + to_months(CAST(n AS INTEGER)) AS DATE) END",
    ),
    "sf_add_months": (
        "x, n",
        "CASE WHEN CAST(x AS DATE) = last_day(x) THEN last_day(x + to_months(CAST(n AS INTEGER))) "
        "+ (x - date_trunc('day', x)) ELSE x + to_months(CAST(n AS INTEGER)) END",
    ),
    "sf_next_day": (
        "d, weekday",
        "d + CAST(CASE WHEN (weekday - isodow(d) + 7) % 7 = 0 THEN 7 ELSE (weekday - isodow(d) + 7) % 7 END "
        "AS INTEGER)",
    ),
    "sf_previous_day": (
        "d, weekday",
        "d - CAST(CASE WHEN (isodow(d) - weekday + 7) % 7 = 0 THEN 7 ELSE (isodow(d) - weekday + 7) % 7 END "
        "AS INTEGER)",
    ),
    "sf_weekday": (
        "x",
        "CASE left(lower(x), 2) WHEN 'mo' THEN 1 WHEN 'tu' THEN 2 WHEN 'we' THEN 3 WHEN 'th' THEN 4 WHEN 'fr' THEN 5 "
        "WHEN 'sa' THEN 6 WHEN 'su' THEN 7 "
        "ELSE CAST(CAST('''' || x || ''' is not a day of the week' AS BOOLEAN) AS BIGINT) END",
    ),
    "sf_offset_text": (
        "minutes",
        "CASE WHEN minutes < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(minutes) // 60 AS VARCHAR), 2, '0') "
        "|| lpad(CAST(abs(minutes) % 60 AS VARCHAR), 2, '0')",
    ),
    "sf_zoned_text": (
        "clock, instant",
        "strftime(clock, '%Y-%m-%d %H:%M:%S.%g') || ' ' || sf_offset_text(date_diff('minute', "
        "CAST(instant AS TIMESTAMP), clock))",
    ),
}

# Overloads by type keep a date a date where the translation does not know the type.
OVERLOADS: dict[str, list[tuple[str, str]]] = {
    "sf_divide": [
        (
            "a BIGINT, b BIGINT",
            "CASE WHEN b = 0 THEN 1 // CAST(b AS BIGINT) "
            "WHEN abs(a) < 4500000000 AND abs(b) < 4500000000000000 THEN CAST(round(a * 1e6 / b) / 1e6 AS "
            "DECIMAL(38,6)) "
            "ELSE CAST(sf_quotient(CAST(a AS HUGEINT), CAST(b AS HUGEINT), 6, 6) AS DECIMAL(38,6)) END",
        ),
        ("a, b", "sf_divide_any(a, b)"),
    ],
    "sf_trunc": [
        ("unit, x DATE", "CAST(date_trunc(unit, x) AS DATE)"),
        ("unit, x TIMESTAMP", "date_trunc(unit, x)"),
        ("unit, x TIMESTAMPTZ", "date_trunc(unit, x)"),
        ("unit, x VARCHAR", "date_trunc(unit, sf_ntz(x))"),
    ],
    "sf_add": [
        ("x DATE, days, span", "x + CAST(days AS INTEGER)"),
        ("x TIMESTAMP, days, span", "x + span"),
        ("x TIMESTAMPTZ, days, span", "x + span"),
        ("x VARCHAR, days, span", "sf_ntz(x) + span"),
    ],
    "sf_add_months_any": [
        ("x DATE, n", "sf_add_months_date(x, n)"),
        ("x TIMESTAMP, n", "sf_add_months(x, n)"),
        ("x TIMESTAMPTZ, n", "sf_add_months(x, n)"),
        ("x VARCHAR, n", "sf_add_months(sf_ntz(x), n)"),
    ],
    "sf_add_span": [
        ("x DATE, span", "CAST(x + span AS DATE)"),
        ("x TIMESTAMP, span", "x + span"),
        ("x TIMESTAMPTZ, span", "x + span"),
        ("x VARCHAR, span", "sf_ntz(x) + span"),
    ],
}
