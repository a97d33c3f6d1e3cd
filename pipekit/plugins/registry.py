"""Plugins: found, registered, and refused when they clash.

They are taken in this order: built in, installed (entry points of the group ``pipekit``), and the project's
``plugins/*.py``. A hook that does not exist, and a name claimed twice, are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from inspect import isroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from pipekit.errors import PluginError
from pipekit.formats.builtin import BUILT_IN_FORMATS, Formats
from pipekit.materialize.builtin import BUILT_IN, Registry
from pipekit.materialize.contract import USES, Materialization, Use
from pipekit.pipeline.code import import_from, line_in, what_happened
from pipekit.pipeline.model import Vocabulary
from pipekit.plugins import hooks as hookspecs
from pipekit.plugins.installed import may_have_plugins
from pipekit.project import leads_out, plugin_files
from pipekit.suggestions import nearest
from pipekit.warehouses.builtin import BUILT_IN_WAREHOUSES

if TYPE_CHECKING:
    import click

    from pipekit.events import Sink
    from pipekit.export.contract import Exporter
    from pipekit.pipeline.model import PipelineSpec


BUILT_IN_STEPS = ("load", "check", "sql", "features", "python")
_PREFIX = "pipekit_"
_GIVE_MAPPINGS = ("pipekit_template_globals",)
_SEE = "docs/plugins.md has an example of each hook"
NamedT = TypeVar("NamedT")


class _BuiltInWarehouses:
    """The warehouses that come with pipekit, offered as any plugin offers its own."""

    @staticmethod
    @hookspecs.hookimpl
    def pipekit_warehouses() -> Sequence[Any]:
        return BUILT_IN_WAREHOUSES


class _BuiltInMaterializations:
    """The materializations that come with pipekit, likewise."""

    @staticmethod
    @hookspecs.hookimpl
    def pipekit_materializations() -> Sequence[Any]:
        return BUILT_IN


class _BuiltInExporters:
    """The exporters that come with pipekit, likewise."""

    @staticmethod
    @hookspecs.hookimpl
    def pipekit_exporters() -> Sequence[Exporter[Any]]:
        from pipekit.export.builtin import BUILT_IN_EXPORTERS

        return BUILT_IN_EXPORTERS


class _Hooks:
    """A plugin's hooks and nothing else: pluggy looks closely at every attribute of what it is given."""

    def __init__(self, hooks: Mapping[str, Any]) -> None:
        vars(self).update(hooks)

    def __dir__(self) -> Iterable[str]:
        return list(vars(self))


class Plugins:
    """All plugins of one project.

    Args:
        root: The project's root; ``None`` looks at no project.
        project_code: Whether the project's ``plugins/`` may be imported.

    Raises:
        PluginError: A plugin cannot be imported, implements an unknown hook, or claims a name that is taken.
    """

    def __init__(self, root: Path | None = None, *, project_code: bool = True) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._project_code = project_code
        self._folder = root / "plugins" if root is not None else None
        for name in BUILT_IN_STEPS:
            self._register(import_module(f"pipekit.steps.{name}"), f"built-in {name}")
        self._register(_BuiltInWarehouses, "built-in warehouses")
        self._register(_BuiltInMaterializations, "built-in materializations")
        self._register(_BuiltInExporters, "built-in exporters")
        self._register_installed()
        if root is not None and project_code:
            for path in plugin_files(root):
                if leads_out(path, root):
                    raise PluginError(f"plugins/{path.name} is a link that leads out of the project; it is not run")
                self._register(import_from(path.parent, path.stem), f"plugins/{path.name}")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Step types, materializations, warehouses, file formats and template globals by name.

        Raises:
            PluginError: A name is claimed twice.
        """
        return Vocabulary(
            step_types=self._by_name("pipekit_step_types", "step type"),
            warehouses=self._by_name("pipekit_warehouses", "warehouse"),
            formats=Formats(
                self._by_name("pipekit_formats", "file format", dict.fromkeys(BUILT_IN_FORMATS, "built-in formats"))
            ),
            template_globals=self._template_globals(),
            materializations=self._materializations(),
            project_code=self._project_code,
        )

    def sinks(self, spec: PipelineSpec, run_id: str) -> list[Sink]:
        """The listeners that plugins attach to a run."""
        given = {"pipeline": spec, "run_id": run_id}
        return [sink for _, sinks in self._results("pipekit_sinks", given) for sink in sinks]

    def exporters(self) -> Mapping[str, Exporter[Any]]:
        """Exporters by name.

        Raises:
            PluginError: A name is claimed twice.
        """
        return self._by_name("pipekit_exporters", "exporter")

    def commands(self) -> Mapping[str, click.Command]:
        """Commands by name.

        Raises:
            PluginError: A name is claimed twice.
        """
        return self._by_name("pipekit_commands", "command")

    def _register_installed(self) -> None:
        if not may_have_plugins():
            return
        from importlib.metadata import entry_points

        for entry in entry_points(group=hookspecs.PROJECT):
            try:
                plugin = entry.load()
            except (Exception, SystemExit) as error:
                raise PluginError(
                    f"the installed plugin {entry.name} cannot be imported: it {what_happened(error)}"
                ) from error
            self._register(plugin, f"installed plugin {entry.name}")

    def _register(self, plugin: Any, name: str) -> None:
        hooks = {attribute: getattr(plugin, attribute) for attribute in dir(plugin) if attribute.startswith(_PREFIX)}
        routines = {attribute: value for attribute, value in hooks.items() if isroutine(value)}
        for attribute, value in routines.items():
            _refuse_mistyped(name, attribute, value)
        try:
            self._manager.register(_Hooks(routines), name=name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"{name}: {error}") from error

    def _by_name(self, hook: str, what: str, taken: Mapping[str, str] | None = None) -> dict[str, Any]:
        by_name: dict[str, Any] = {}
        owner = dict(taken or {})
        for plugin, item in ((plugin, item) for plugin, items in self._results(hook) for item in items):
            if not hasattr(item, "name"):
                article = "an" if what[0] in "aeiou" else "a"
                raise PluginError(f"{plugin}: {hook} returned {_shown(item)}, not {article} {what}; {_SEE}")
            if item.name in owner:
                raise PluginError(f"the {what} {item.name!r} is claimed by {owner[item.name]} and by {plugin}")
            by_name[item.name], owner[item.name] = item, plugin
        return by_name

    def _materializations(self) -> Registry:
        """By use and name: a name may mean one thing for queries and another for files."""
        found: dict[Use, dict[str, Materialization[Any]]] = {use: {} for use in USES}
        owner: dict[tuple[Use, str], str] = {}
        for plugin, items in self._results("pipekit_materializations"):
            if wrong := [each for each in items if not hasattr(each, "uses")]:
                hook = "pipekit_materializations"
                raise PluginError(f"{plugin}: {hook} returned {_shown(wrong[0])}, not a Materialization; {_SEE}")
            for item, use in [(each, use) for each in items for use in each.uses]:
                if item.name in found[use]:
                    by = owner[use, item.name]
                    raise PluginError(f"the materialization {item.name!r} is claimed by {by} and by {plugin}")
                found[use][item.name], owner[use, item.name] = item, plugin
        return found

    def _results(self, hook: str, given: Mapping[str, Any] | None = None) -> Iterable[tuple[str, Any]]:
        """What each plugin's implementation returns, with the plugin's name."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            name = implementation.plugin_name
            try:
                result = implementation.function(*((given or {})[key] for key in implementation.argnames))
            except (Exception, SystemExit) as error:
                place = line_in(error, self._folder) if self._folder else ""
                raise PluginError(f"{place or name}: {hook} {what_happened(error)}") from error
            kind = "mapping" if hook in _GIVE_MAPPINGS else "list"
            if not isinstance(result, Mapping if kind == "mapping" else (list, tuple)):
                returned = "nothing" if result is None else f"a {type(result).__name__}"
                raise PluginError(f"{name}: {hook} returned {returned}; it must return a {kind}; {_SEE}")
            yield name, result

    def _template_globals(self) -> dict[str, Callable[..., Any]]:
        functions: dict[str, Callable[..., Any]] = {}
        for plugin, mapping in self._results("pipekit_template_globals"):
            for name, value in mapping.items():
                if name in functions or name in ("env", "var", "as_of"):
                    raise PluginError(f"the template global {name!r} of {plugin} is taken")
                functions[name] = value
        return functions


def _shown(item: Any) -> str:
    """A value that a hook returned, in words: what a class or function is called."""
    return f"{'the class' if isinstance(item, type) else 'the value'} {getattr(item, '__name__', None) or repr(item)}"


def _refuse_mistyped(plugin: str, attribute: str, value: Any) -> None:
    if not hasattr(hookspecs, attribute):
        raise PluginError(f"{plugin}: there is no hook {attribute}{_suggest(attribute)}")
    if not hasattr(value, f"{hookspecs.PROJECT}_impl"):
        raise PluginError(f"{plugin}: {attribute} lacks @pipekit.hookimpl, so it would never be called")


def _suggest(attribute: str) -> str:
    known = [name for name in vars(hookspecs) if name.startswith(_PREFIX)]
    near = nearest(attribute, known)
    return f"; did you mean {near}?" if near else f"; the hooks are {', '.join(known)}"
