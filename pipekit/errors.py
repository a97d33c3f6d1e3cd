"""Every error that pipekit raises on purpose. The type says what to do, and the exit code.

    PipekitError
    ├── SpecError         fix the pipeline file                          exit 2
    ├── PluginError       fix or remove the plugin                       exit 2
    ├── TemplateError     fix the SQL template                           exit 2
    ├── ArgumentError     fix the call of the library                    exit 2
    ├── VersionError      install the version that was tested            exit 2
    ├── SourceError       look at the files                              exit 1
    │   └── BadFileError      one file as a whole; a load may skip it
    ├── WarehouseError    look at the warehouse                          exit 1
    │   ├── TransientError    worth another try; a run tries again
    │   └── QueryError        the statement itself is wrong; never retried
    ├── ChecksFailed      look at the data: a critical check failed      exit 1
    ├── LockedError       wait for the other run                         exit 1
    │   └── OpenRunError      a scheduler runs its steps, and it has not ended
    ├── UnknownYet        a plan asked for what only a run can know      exit 1
    └── UnexpectedError   report it: a bug in a step type                exit 3

Anything else that escapes is a bug in pipekit: exit 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipekit.scrubbing import scrub


class PipekitError(Exception):
    """Root of the tree.

    Args:
        message: What is wrong and where, in one sentence.
        kept: What was left untouched ("the 2,000 rows of dim_customer are still there").
        hint: What to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, kept: str | None = None, hint: str | None = None) -> None:
        self.message = scrub(message)
        self.kept = scrub(kept) if kept else None
        self.hint = scrub(hint) if hint else None
        super().__init__(self.message)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.message, self.kept, self.hint) if part)


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a pipeline file.

    Attributes:
        file: The file that holds the mistake.
        line: 1-based line; 0 when the mistake belongs to no line.
        key: Dotted path of the key, such as ``steps.load_customers.audit``; may be empty.
        text: What is wrong, and the likely fix.
        column: Where it begins in its line, from 1; 0 when that is not known.
    """

    file: str
    line: int
    key: str
    text: str
    column: int = 0

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return scrub(": ".join(part for part in (place, self.key, self.text) if part))


class SpecError(PipekitError):
    """A pipeline file with mistakes. All of them are in ``problems``, in file order."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda each: (each.file, each.line, each.column, each)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(PipekitError):
    """A plugin that cannot be imported, names an unknown hook, or claims a name that is taken."""

    exit_code = 2


class TemplateError(PipekitError):
    """A SQL template that cannot be found, rendered or parsed.

    Args:
        message: What is wrong.
        template: Name of the template, or ``None`` for inline SQL.
        line: 1-based line in the template.
        column: Where it begins in its line, from 1.
        hint: What to do.

    Attributes:
        key: Path of the step's key that holds the text; empty for the key that the step type reads SQL from.
        others: Further mistakes of the same text.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        template: str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.template = template
        self.line = line
        self.column = column
        self.reason = message
        self.key: tuple[str | int, ...] = ()
        self.others: tuple[TemplateError, ...] = ()
        where = ":".join(str(part) for part in (template, line, column if line else None) if part is not None)
        super().__init__(f"{where}: {message}" if where else message, hint=hint)


class VersionError(PipekitError):
    """A package is installed in a version that was not tested, where it decides values."""

    exit_code = 2


class ArgumentError(PipekitError, TypeError):
    """An argument of the library that is missing, or of another type; the message names it. Nothing was opened."""

    exit_code = 2


class SourceError(PipekitError):
    """Files that are missing, unreadable, or do not keep the source's contract.

    Args:
        message: What is wrong, without the place.
        file: Path or URI of the file.
        line: 1-based physical line in the file.
        column: The declared column.
        value: The offending value, shortened by ``short``.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        kept: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.file = str(file) if file is not None else None
        self.line = line
        self.column = column
        self.value = value
        self.reason = message
        place = ":".join(str(part) for part in (self.file, line) if part is not None)
        parts = (place, f"column {column}" if column else "", message)
        super().__init__(": ".join(part for part in parts if part), kept=kept, hint=hint)

    def place(self, file: str) -> None:
        """Name the file, if the error names none."""
        if self.file is None:
            SourceError.__init__(
                self,
                self.reason,
                file=file,
                line=self.line,
                column=self.column,
                value=self.value,
                kept=self.kept,
                hint=self.hint,
            )


SKIP_FILE = "`on_bad_file: skip` loads the other files without it."
"""The way out of a bad file that stays as it is; it ends a hint."""


class BadFileError(SourceError):
    """A file that cannot be loaded as a whole: damaged, archived, refused, or with other columns than declared.

    ``on_bad_file: skip`` goes on without it; a bad record in it is up to ``on_error``.

    Attributes:
        others: The same of further files, where they were found at once.
    """

    others: tuple[BadFileError, ...] = ()

    @classmethod
    def of(cls, error: SourceError) -> BadFileError:
        """The same error, about the file as a whole."""
        return cls(
            error.reason,
            file=error.file,
            line=error.line,
            column=error.column,
            value=error.value,
            kept=error.kept,
            hint=error.hint,
        )

    @classmethod
    def together(cls, errors: Sequence[BadFileError]) -> BadFileError:
        """The first one, with the others."""
        first = errors[0]
        first.others = tuple(errors[1:])
        return first


class WarehouseError(PipekitError):
    """The warehouse refused or could not be reached.

    Args:
        message: The engine's own message, or ours.
        sql: The rendered statement that failed.
        query_id: The warehouse's id of the statement.
    """

    def __init__(
        self,
        message: str,
        *,
        sql: str | None = None,
        query_id: str | None = None,
        kept: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.sql = sql
        self.query_id = query_id
        super().__init__(message, kept=kept, hint=hint)


class NothingYetError(WarehouseError):
    """There is no database yet: no run has made it."""


class TransientError(WarehouseError):
    """A failure that may be gone at the next try: a lost connection, a write conflict, throttling."""


class QueryError(WarehouseError):
    """A statement that fails however often it is tried."""


class ChecksFailed(PipekitError):
    """At least one critical check failed, or could not be evaluated. The verdicts are in ``dq_check_logs``."""


class LockedError(PipekitError):
    """Another run of the same pipeline and target, or another process of the same run, must end first."""


class OpenRunError(LockedError):
    """A run of the same pipeline and target whose steps a scheduler starts has not ended."""


class UnknownYet(PipekitError):
    """What is asked for can be known only when a run has made something first."""


class UnexpectedError(PipekitError):
    """A step type raised something other than a ``PipekitError``: a bug, in pipekit or in a plugin."""

    exit_code = 3

    def __init__(self, step_type: str, error: Exception, trace: Path) -> None:
        super().__init__(
            f"the step type {step_type} failed unexpectedly: {type(error).__name__}: {error}",
            hint=f"This is a bug in it. The traceback is in {trace}; please report it with that file.",
        )


def short(value: object, limit: int = 80) -> str:
    """The value as text for a message, cut to ``limit`` characters with an ellipsis."""
    text = scrub(str(value))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
