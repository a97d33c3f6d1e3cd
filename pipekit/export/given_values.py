"""Whether what an exporter is given can be used: schedules, and names of other systems. A wrong one would be written as
it is, and be refused only where the file is deployed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipekit.export.contract import ExportError

_PLACEHOLDER = "${"


@dataclass(frozen=True)
class _Field:
    """A field of cron: the numbers and names that it takes, and what else."""

    what: str
    least: int
    most: int
    names: str = ""
    more: str = ""

    def takes(self, text: str) -> bool:
        """Whether the text is a list of values, ranges and steps of this field."""
        return all(self._part(part) for part in text.upper().split(","))

    def _part(self, part: str) -> bool:
        values, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            return False
        if values == "*" or (self.more and re.fullmatch(self.more, values)):
            return True
        ends = values.split("-")
        if len(ends) > 2 or not all(self._value(end) for end in ends):
            return False
        return self._number(ends[0]) <= self._number(ends[-1])

    def _number(self, text: str) -> int:
        return int(text) if text.isdecimal() else self.least + self.names.split().index(text)

    def _value(self, text: str) -> bool:
        if text.isdecimal() and text.isascii():
            return self.least <= int(text) <= self.most
        return bool(text) and text in self.names.split()


_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
_WEEKDAYS = "SUN MON TUE WED THU FRI SAT"
_MINUTE, _HOUR, _MONTH = _Field("minute", 0, 59), _Field("hour", 0, 23), _Field("month", 1, 12, _MONTHS)
_DATES = (_MINUTE, _HOUR, _Field("day of the month", 1, 31, more="L"), _MONTH)
_SNOWFLAKE = (*_DATES, _Field("day of the week", 0, 6, _WEEKDAYS, more="[0-6]?L"))
"""https://docs.snowflake.com/en/sql-reference/sql/create-task"""
_AIRFLOW = (*_DATES, _Field("day of the week", 0, 7, _WEEKDAYS, more=r"[0-7]?L|L[0-7]|[0-7]#[1-5]"))
"""https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/cron.html"""
_AWS = (
    _MINUTE,
    _HOUR,
    _Field("day of the month", 1, 31, more=r"\?|L|LW|\d{1,2}W"),
    _MONTH,
    _Field("day of the week", 1, 7, _WEEKDAYS, more=r"\?|[1-7]?L|[1-7]#[1-5]"),
    _Field("year", 1970, 2199),
)
_PRESETS = ("@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@annually")
_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!0+ |1 )\d+ (?:minutes|hours|days))\)")
_AT = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")


def check_snowflake_cron(option: str, text: str) -> None:
    """A schedule of a task of Snowflake: five fields of cron.

    Raises:
        ExportError: It is no such schedule.
    """
    _check_cron(option, text, _SNOWFLAKE)


def check_airflow_schedule(option: str, text: str) -> None:
    """A schedule of Airflow: five fields of cron, or ``@daily`` and the like.

    Raises:
        ExportError: It is no such schedule.
    """
    if text not in _PRESETS:
        _check_cron(option, text, _AIRFLOW, ", or @daily and the like")


def _check_cron(option: str, text: str, known: tuple[_Field, ...], also: str = "") -> None:
    fields = text.split()
    if len(fields) != len(known):
        raise ExportError(f"{option} {text!r} is not five fields of cron, such as '15 6 * * *'{also}")
    _check_fields(option, text, known, fields)


def check_aws_schedule(option: str, text: str) -> None:
    """A schedule of EventBridge Scheduler.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

    Raises:
        ExportError: It is no such schedule.
    """
    if _RATE.fullmatch(text) or _AT.fullmatch(text):
        return
    match = re.fullmatch(r"cron\((.*)\)", text)
    fields = match[1].split() if match else []
    if len(fields) != len(_AWS):
        ways = "'cron(15 6 * * ? *)' with six fields, 'rate(2 hours)', or 'at(2027-01-31T06:00:00)'"
        raise ExportError(f"{option} {text!r} is not an EventBridge schedule, such as {ways}")
    _check_fields(option, text, _AWS, fields)
    if [fields[2], fields[4]].count("?") != 1:
        raise ExportError(f"{option} {text!r}: one of the day of the month and the day of the week must be ?, not both")


def _check_fields(option: str, text: str, known: tuple[_Field, ...], fields: list[str]) -> None:
    for field, given in zip(known, fields, strict=True):
        if not field.takes(given):
            span = f"{field.least} to {field.most}"
            allowed = f"{span}, *, lists, ranges upwards, /steps"
            raise ExportError(f"{option} {text!r}: {given!r} is not allowed for the {field.what}: {allowed}")


def check_name(option: str, text: str, pattern: str, such_as: str) -> None:
    """A name of another system; one that holds ``${...}`` is filled in when the file is deployed.

    Raises:
        ExportError: It cannot be one.
    """
    if _PLACEHOLDER not in text and not re.fullmatch(pattern, text):
        raise ExportError(f"{option} {text!r} must look like {such_as}")


def check_ids(option: str, text: str, prefix: str) -> None:
    """Ids of AWS such as ``subnet-0a1b2c3d``, separated by commas alone.

    Raises:
        ExportError: One of them is none.
    """
    for each in text.split(","):
        check_name(option, each, rf"{prefix}-[0-9a-z]+", f"{prefix}-0a1b2c3d,{prefix}-4e5f6a7b, without blanks")
