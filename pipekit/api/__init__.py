"""pipekit as a library: a pipeline that can be validated, run and inspected."""

from pipekit.api.adding import Adding
from pipekit.api.exporting import Exporting
from pipekit.api.history import History
from pipekit.api.operating import Operating
from pipekit.api.running import Running
from pipekit.api.testing import Testing


class Pipeline(Running, History, Testing, Operating, Exporting, Adding):
    """A valid pipeline file.

    Attributes:
        spec: Everything the file says, rendered and validated.
    """


__all__ = ["Pipeline"]
