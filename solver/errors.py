"""The one family of errors nodewise raises on purpose."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AllocationError",
    "BackendUnavailableError",
    "InstanceError",
    "MethodError",
    "ModelTooLargeError",
    "NodewiseError",
    "NodewiseWarning",
    "OptionError",
    "UsageError",
]


class NodewiseError(Exception):
    """Base of every error that nodewise raises on purpose."""


class InstanceError(NodewiseError, ValueError):
    """An instance breaks a rule of the model; the message names the record and the field."""


class AllocationError(NodewiseError, ValueError):
    """An allocation cannot be read against its instance; the message names the row."""


class UsageError(NodewiseError, ValueError):
    """Samples of usage cannot be read; the message names the file and the line or series."""


class OptionError(NodewiseError, ValueError):
    """An option of `solve` or of the command line has a value outside its range."""


class BackendUnavailableError(NodewiseError, RuntimeError):
    """A solver that a method needs is not installed or does not start."""


class ModelTooLargeError(NodewiseError, ValueError):
    """The exact model of an instance is too large to build; the message says what to use."""


class MethodError(NodewiseError, RuntimeError):
    """A method returned an answer that a check refutes: a bug in nodewise or in a solver.

    Attributes
    ----------
    allocation : Allocation or None
        The best allocation that was checked before, so that it is not lost.
    claims : tuple of str
        The claims that contradict each other.
    """

    def __init__(self, message: str, allocation: Any = None, claims: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allocation = allocation
        self.claims = claims


class NodewiseWarning(UserWarning):
    """A claim was refuted and dropped; the answer stands without it."""
