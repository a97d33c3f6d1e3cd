"""A pipeline as the file of another tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipekit.api.base import PipelineFile, keeping_secrets
from pipekit.pipeline.reading.checking import explain
from pipekit.scrubbing import holds_secret, looks_secret

if TYPE_CHECKING:
    from pipekit.export.contract import Exported


class Exporting(PipelineFile):
    """What writes a pipeline for other tools."""

    @keeping_secrets
    def export(self, exporter: str, options: Mapping[str, Any] | None = None) -> str:
        """The pipeline as the file of a tool that starts its steps.

        Args:
            exporter: The tool, such as ``stepfunctions``.
            options: What ``pipekit export NAME --help`` lists, by name.

        Raises:
            SpecError: There is no such exporter, an option cannot be used, or a secret would be in the file.
        """
        from pipekit.export.contract import ExportError

        known = self._plugins.exporters()
        if exporter not in known:
            raise self._mistake(f"there is no exporter {exporter!r}; the exporters are {', '.join(sorted(known))}")
        try:
            chosen = known[exporter].options.model_validate(dict(options or {}))
        except ValidationError as error:
            first = error.errors()[0]
            name = "-".join(str(part) for part in first["loc"]).replace("_", "-")
            why = explain(first, list(known[exporter].options.model_fields))
            raise self._mistake(f"export {exporter}: --{name}: {why}") from error
        try:
            return known[exporter].write(chosen, self.exported())
        except ExportError as error:
            raise self._mistake(str(error)) from error

    def exported(self) -> Exported:
        """What exporters see of the pipeline.

        Raises:
            SpecError: It was given a secret variable, which would be in the file.
        """
        from pipekit.export.pipeline import exported

        for name, value in self._given.variables.items():
            if looks_secret(name) or holds_secret(value):
                raise self._mistake(
                    f"the variable {name} would be in the exported file; give it to the runs by env('...')"
                )
        return exported(self.spec, self._given.variables, self._given.as_of)
