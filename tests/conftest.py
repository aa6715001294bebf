"""Fixtures and settings that all tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a failure seen once can be seen again.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of published traces beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the published traces are not there: no folder {folder}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels():
    """Compile the kernels once, so that no test with a time limit waits for it."""
    from solver.kernels.build.ready import compile_ahead

    assert compile_ahead(lambda: False, whole=True)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command of the command line in this process: its exit code, stdout and stderr."""
    from solver.command import cli

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
