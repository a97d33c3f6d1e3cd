"""What a warehouse must do, as classes of tests for pytest: docs/warehouses.md says how an adapter runs them."""

import pytest

pytest.register_assert_rewrite(
    "pipekit.testing.contract.sessions", "pipekit.testing.contract.checks", "pipekit.testing.contract.loads"
)

from pipekit.testing.contract.base import Contract  # noqa: E402 - after the registration
from pipekit.testing.contract.checks import CheckContract  # noqa: E402
from pipekit.testing.contract.loads import LoadContract, Variations  # noqa: E402
from pipekit.testing.contract.sessions import SessionContract  # noqa: E402

__all__ = ["CheckContract", "Contract", "LoadContract", "SessionContract", "Variations"]
