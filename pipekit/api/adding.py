"""Adding steps to a pipeline file."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets
from pipekit.errors import PipekitError, SpecError
from pipekit.pipeline.reading.rendering import shown_name

if TYPE_CHECKING:
    from pipekit.inference.adding import Added


class Adding(PipelineFile):
    """What changes the pipeline's own file."""

    @keeping_secrets
    def add(self, *templates: str | Path) -> list[Added]:
        """Add a ``sql`` step for each template at the end of the file's steps. All else in the file stays as it is.

        A step has the template's name, and an audit: it has rows, and they differ by what the SQL groups by.

        Args:
            templates: Files below the project's ``templates/``.

        Returns:
            The steps; this object does not know them: read the file again.

        Raises:
            SpecError: A step is there already, or the pipeline would be wrong with them. The file is as it was.
        """
        from pipekit.inference.adding import proposed, with_steps

        path = self.spec.path
        steps = [proposed(self.spec, Path(each)) for each in templates]
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        self._put(with_steps(text, steps, shown_name(path)))
        return steps

    def _put(self, text: str) -> None:
        """Put a text in the file's place once it is known to be a pipeline."""
        path = self.spec.path.resolve()
        beside = path.with_name(f".{path.stem}.{os.getpid()}.yaml")
        try:
            beside.write_text(text, encoding="utf-8", newline="")
            self._given.read(beside, self._plugins)
            beside.chmod(path.stat().st_mode)
            os.replace(beside, path)
        except SpecError as error:
            name = shown_name(self.spec.path)
            own = shown_name(beside)
            raise SpecError(
                [replace(each, file=name if each.file == own else each.file) for each in error.problems]
            ) from error
        except OSError as error:
            raise PipekitError(f"cannot write {path}: {error.strerror}", kept="The file is as it was.") from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
