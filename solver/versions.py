"""Versions of nodewise and of everything it runs on."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__", "show_versions"]

_PACKAGES = ("numpy", "ortools", "pulp", "highsbox", "cbcbox", "networkx")


@lru_cache
def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


__version__ = _version_of("nodewise")


def show_versions() -> dict[str, str]:
    """Versions by name: nodewise, Python, the platform and the packages that solve.

    Examples
    --------
    >>> sorted(show_versions())[:3]
    ['cbcbox', 'highsbox', 'networkx']
    """
    found = {"nodewise": __version__, "python": platform.python_version()}
    found["platform"] = platform.platform()
    found.update((package, _version_of(package)) for package in _PACKAGES)
    return found
