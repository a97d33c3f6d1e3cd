"""A pipeline file that was read: what all that can be done with it has in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from pipekit.api.arguments import checked
from pipekit.errors import Problem, SpecError
from pipekit.given import Given, read_dotenv
from pipekit.pipeline.model import OrderedStep, PipelineSpec
from pipekit.plugins.registry import Plugins
from pipekit.project import find_root
from pipekit.runs.resume import EarlierRun, last_target
from pipekit.scrubbing import Secrets, clean_errors, hide, keeping, looks_secret, texts_in

P = ParamSpec("P")
T = TypeVar("T")
AnyPipeline = TypeVar("AnyPipeline", bound="PipelineFile")


def keeping_secrets(
    method: Callable[Concatenate[AnyPipeline, P], T],
) -> Callable[Concatenate[AnyPipeline, P], T]:
    """The method, in which what is secret to this pipeline is hidden, and nothing of another one.

    Its arguments are checked first.
    """
    method = checked(method)

    @wraps(method)
    def within(pipeline: AnyPipeline, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with keeping(pipeline._secrets), clean_errors():
            return method(pipeline, *args, **kwargs)

    return within


def several(given: str | Sequence[str]) -> Sequence[str]:
    return (given,) if isinstance(given, str) else tuple(given)


def _no_file(path: Path) -> str:
    if not path.is_dir():
        return "is not a file" if path.exists() else "there is no such file"
    names = sorted(each.name for each in path.iterdir() if each.suffix in (".yaml", ".yml"))
    return (
        f"is a folder; name one of its files: {', '.join(names[:5])}" if names else "is a folder, not a pipeline file"
    )


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Report a mistake in the target's name as one of ``name``, which gave it."""
    try:
        yield
    except SpecError as error:
        raise SpecError([replace(each, file=name) if each.file == "target" else each for each in error.problems]) from (
            error.__cause__
        )


class PipelineFile:
    """A valid pipeline file.

    Attributes:
        spec: Everything the file says, rendered and validated.
    """

    def __init__(
        self, spec: PipelineSpec, plugins: Plugins, given: Given | None = None, secrets: Secrets | None = None
    ) -> None:
        self.spec = spec
        self._plugins = plugins
        self._given = given or Given()
        self._secrets = secrets or Secrets()

    @classmethod
    @checked
    def from_file(
        cls,
        path: str | Path,
        *,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,
        as_of: str | None = None,
        project_code: bool = True,
    ) -> Self:
        """Read and validate a pipeline file. Nothing is opened or written.

        The project's ``.env`` is read first; what the environment says already wins.

        Args:
            path: The file.
            target: A target of the file; its own choice, or ``PIPEKIT_TARGET``, if left out.
            vars: Values that win over the file's ``vars``.
            as_of: The run's clock, ISO 8601; the file's, or now, if left out.
            project_code: Whether the project's ``plugins/`` may be imported.

        Raises:
            SpecError: Every mistake in the file, each with its line.
            PluginError: A plugin cannot be used.
        """
        path = Path(path)
        if not path.is_file():
            raise SpecError([Problem(str(path), 0, "", _no_file(path))])
        root = find_root(path)
        read_dotenv(root)
        given = Given(os.environ.get("PIPEKIT_TARGET") if target is None else target, dict(vars or {}), as_of)
        with keeping(Secrets()) as secrets, clean_errors(), _blaming("target" if target else "PIPEKIT_TARGET"):
            hide(text for name, value in given.variables.items() if looks_secret(name) for text in texts_in(value))
            plugins = Plugins(root, project_code=project_code)
            return cls(given.read(path, plugins), plugins, given, secrets)

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.spec.name

    def order(self) -> tuple[OrderedStep, ...]:
        """The steps, in file order, each with the steps that it waits for. Nothing is opened."""
        return self.spec.order

    def _as_resumed(self, resume: bool) -> tuple[Given, PipelineSpec, Callable[[EarlierRun], PipelineSpec]]:
        """What the pipeline is given, on the target of a resumed run, and how it is read as that run had it."""
        given, spec = self._given, self.spec
        if resume and given.target is None:
            given = replace(given, target=last_target(spec.state / "runs", spec.name))
            spec = given.read(spec.path, self._plugins) if given.target not in (None, spec.target.name) else spec

        def reread(earlier: EarlierRun) -> PipelineSpec:
            return given.on(spec.target.name).as_before(earlier).read(spec.path, self._plugins)

        return given, spec, reread

    def _refuse_mixed(self, resume: bool, full_refresh: bool) -> None:
        if resume and full_refresh:
            text = "one leaves out what the last run finished, the other rebuilds all of it; give one of them"
            raise self._mistake(f"resume and full_refresh exclude each other: {text}")

    def _mistake(self, text: str) -> SpecError:
        return SpecError([Problem(str(self.spec.path), 0, "", text)])
