"""Entry point of the command `nodewise` and of `python -m solver`."""

from __future__ import annotations

import sys

from .cli import run

__all__ = ["main"]


def main() -> int:
    """Run the command line with the arguments of the process and return its exit code."""
    return run()


if __name__ == "__main__":
    sys.exit(main())
