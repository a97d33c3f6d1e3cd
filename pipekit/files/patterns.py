"""Names below a source's ``uri``: which of them its patterns mean, and which of these are left out, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipekit.source import Source

# What writers put beside their data: https://spark.apache.org/docs/latest/sql-data-sources-generic-options.html leaves
# out the like; Hadoop's committers and checksums, Delta, Databricks, Hive and EMR each have names of their own.
_MARKERS = re.compile(
    r"_SUCCESS|_FAILURE|_temporary|_metadata|_common_metadata|_delta_log|_spark_metadata|_symlink_format_manifest"
    r"|_(started|committed|vacuum|change_data)(_.*)?|.+\.crc|.+_\$folder\$"
)
# What file managers put into every folder that is opened, whatever it holds.
_DESKTOP = re.compile(r"(?:eh)?thumbs(?:_vista)?\.db|desktop\.ini", re.IGNORECASE)
_PERHAPS = re.compile(
    r"(?:^|/)[._]|\.(?:crc|[dD][bB]$|[iI][nN][iI]$)|\$folder\$"
)  # most names are recognised by this alone
# What is not written to its end yet, or no data: of editors, browsers, rsync, WinSCP and Hadoop; and Excel's lock file.
_TEMPORARY = re.compile(
    r"(?:^|/)(~)\$[^/]*$|(\.(?:tmp|temp|part|partial|filepart|crdownload|opdownload|inprogress|_COPYING_)|~)$",
    re.IGNORECASE,
)
_LAST = frozenset("~pPtTlLdDsS_")  # letters in which such names end: most others are recognised by the last one
HIDDEN = "hidden"
TEMPORARY = "temporary by name, which `include_hidden: true` takes"
MARKER = "left by the writer"
DESKTOP = "made by a file manager"
EXCLUDED = "excluded"
OTHER_CASE = "unlike the pattern in capital and small letters only"


def pattern_regex(pattern: str) -> str:
    """A shell pattern as a regular expression for the whole path below the source's ``uri``.

    ``*`` and ``?`` stay within a folder, ``**/`` is any number of folders, a ``**`` at the end is everything below,
    ``[ab]`` and ``[!ab]`` are sets.
    """
    parts = re.findall(r"(?:^|(?<=/))\*\*/|(?:^|(?<=/))\*\*$|\*+|\?|\[!?\]?[^\]]*\]|.", pattern, re.DOTALL)
    return "".join(_part_regex(part, pattern) for part in parts)


def _part_regex(part: str, pattern: str) -> str:
    if part == "**/":
        return "([^/]*/)*"  # keys of a store may hold empty names: a//b.csv
    if part == "**" and re.search(r"(^|/)\*\*$", pattern):
        return ".*"
    if part.startswith("*"):
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 2:
        body = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^/{body[1:]}]" if body.startswith("!") else f"[{body}]"
    return re.escape(part)


def matcher(patterns: Sequence[str], *, any_case: bool = False) -> Callable[[str], bool]:
    """Whether a path below the source's ``uri`` is meant by one of the patterns, or would be in other letters."""
    flags = re.DOTALL | re.IGNORECASE if any_case else re.DOTALL
    wanted = re.compile("|".join(f"(?:{pattern_regex(pattern)})" for pattern in patterns) or "(?!)", flags)
    return lambda name: wanted.fullmatch(name) is not None


def is_deep(patterns: Sequence[str]) -> bool:
    """Whether one of the patterns can mean a name in a subfolder."""
    return any("/" in pattern or pattern == "**" for pattern in patterns)


Verdict = tuple[str, str | None]
"""A name, and why it is left out; ``None`` if it is not."""


def judge_of(source: Source) -> Callable[[str], Verdict | None]:
    """What a source makes of a path below its ``uri``; ``None`` if no pattern means it.

    A name that a pattern would mean but for capital and small letters is named too: it may have been meant. A hidden
    folder, or one that a writer left, is judged as a whole: then the name in the verdict is the folder's.
    """
    matches, excluded = matcher(source.pattern), matcher(source.exclude)
    alike: list[Callable[[str], bool]] = []  # made for the first name that no pattern means

    def is_alike(name: str) -> bool:
        if not alike:
            alike.append(matcher(source.pattern, any_case=True))
        return alike[0](name)

    def is_temporary(name: str) -> bool:
        found = None if source.include_hidden else _temporary(name)
        return found is not None and not any(_spells(pattern, found) for pattern in source.pattern)

    def judge(name: str) -> Verdict | None:
        beside = None if source.include_hidden else first_no_data(name)
        if beside is not None and (beside[0].endswith("/") or matches(name)):
            return beside
        if beside is not None:
            return None
        if matches(name):
            return name, EXCLUDED if excluded(name) else TEMPORARY if is_temporary(name) else None
        return (name, OTHER_CASE) if is_alike(name) and not excluded(name) else None

    return judge


def is_no_data(name: str) -> bool:
    """Whether a path below ``uri`` is hidden, or is what a writer or a file manager leaves, or is in such a folder."""
    return first_no_data(name) is not None


def first_no_data(name: str) -> tuple[str, str] | None:
    """The hidden part of a path, or what a writer or a file manager left, with what is before, and which it is."""
    if not _PERHAPS.search(name):
        return None
    parts = name.split("/")
    for number, part in enumerate(parts, 1):
        why = HIDDEN if part.startswith(".") else MARKER if _MARKERS.fullmatch(part) else None
        if why is None and number == len(parts) and _DESKTOP.fullmatch(part):
            why = DESKTOP
        if why is not None:
            return "/".join(parts[:number]) + ("/" if number < len(parts) else ""), why
    return None


def _temporary(name: str) -> str | None:
    """The beginning or the end of a name that says that a file is temporary."""
    found = None if name[-1:] not in _LAST and "~$" not in name else _TEMPORARY.search(name)
    return found[1] or found[2] if found is not None else None


def _spells(pattern: str, part: str) -> bool:
    """Whether a pattern itself asks for names of that kind."""
    return pattern.lower().endswith(part.lower()) or (part == "~" and pattern.rpartition("/")[2].startswith(part))


def is_folder_marker(name: str, size: int) -> bool:
    """Whether an object only stands for a folder: consoles make an empty one whose name ends in a slash."""
    return name == "" or (name.endswith("/") and size == 0)


def check_pattern(pattern: str) -> str | None:
    """Why the pattern can mean no file; ``None`` if it can."""
    if not pattern or pattern.endswith("/"):
        return f"{pattern!r} can match no file; for everything below a folder write {pattern}**"
    if pattern.startswith("/") or "//" in pattern:
        return f"{pattern!r} can match no file; a pattern begins below `uri`, and its parts are not empty"
    if {".", ".."} & set(pattern.split("/")):
        return f"{pattern!r} can match no file; `.` and `..` are no names: change `uri` instead"
    return None
