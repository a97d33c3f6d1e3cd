"""Earlier runs of a pipeline, and why they failed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pipekit.api.arguments import checked
from pipekit.api.looking import Looking
from pipekit.errors import NothingYetError, PipekitError
from pipekit.given import read_dotenv
from pipekit.project import find_root, state_folder
from pipekit.runs.history import logged_runs, recorded_runs
from pipekit.sinks.story import RunStory

LAST = "last"
_FAR_BACK = 200


class History(Looking):
    """What reports on earlier runs."""

    @checked
    def runs(self, *, limit: int = 20, failed: bool = False, target: str | None = None) -> list[RunStory]:
        """The runs of this pipeline, the newest first: those that this machine recorded, and those of the log tables.

        The log tables are read where other machines may have run it, or where the records here are too few. If they
        cannot be read, that is in ``notice``.

        Args:
            limit: The most runs.
            failed: Only those that did not succeed.
            target: A target's name; the pipeline's if left out.
        """
        spec, self.notice = self.spec, ""
        target = target or spec.target.name
        found = recorded_runs(spec.state / "runs", pipeline=spec.name, spec_path=spec.path, target=target)
        chosen = [story for story in found if story.failed or not failed]
        if target == spec.target.name and (spec.target.type.many_processes or len(chosen) < limit):
            chosen += [
                story for story in self._logged(_FAR_BACK if failed else limit, found) if story.failed or not failed
            ]
            chosen.sort(key=lambda story: story.header.at if story.header else spec.as_of, reverse=True)
        return chosen[:limit]

    @checked
    def run_of(self, run: str = LAST, *, failed: bool = False) -> RunStory | None:
        """One run: ``last``, or by its id or the beginning or the end of it; ``None`` if there is none.

        Args:
            run: Which one.
            failed: Only among those that did not succeed.
        """
        return chosen_run(self.runs(limit=1 if run == LAST else _FAR_BACK, failed=failed), run)

    def _logged(self, limit: int, known: list[RunStory]) -> list[RunStory]:
        ids = {story.header.run_id for story in known if story.header}
        try:
            with self._look() as warehouse:
                logged = logged_runs(warehouse, self.spec, limit)
        except NothingYetError:
            return []
        except PipekitError as error:
            self.notice = (
                f"these are the runs that this machine recorded; the log tables cannot be read: {error.message}"
            )
            return []
        return [story for story in logged if story.header and story.header.run_id not in ids]


def chosen_run(stories: list[RunStory], run: str) -> RunStory | None:
    """See ``History.run_of``."""
    if run == LAST:
        return stories[0] if stories else None
    named = [s for s in stories if s.header and (s.header.run_id.startswith(run) or s.header.run_id.endswith(run))]
    return named[0] if named else None


def runs_of_file(path: Path) -> list[RunStory]:
    """The runs of a pipeline whose file cannot be read, as this machine recorded them; the newest first."""
    root = find_root(path)
    with suppress(PipekitError):
        read_dotenv(root)
    target = os.environ.get("PIPEKIT_TARGET")
    try:
        return recorded_runs(state_folder(root) / "runs", pipeline=None, spec_path=path, target=target)
    except ValueError:
        return []
